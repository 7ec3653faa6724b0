import { PassThrough } from 'node:stream';
import { runOutside } from '../../builder/sandbox/outside.ts';
import { BuildError } from '../core/errors.ts';
import type { Place } from '../core/place.ts';
import { writeDockerArchive } from '../oci/archive.ts';
import type { PackedImage } from '../oci/packed.ts';

/** Programs that take an image, and how each is asked whether it can. */
const LOADERS = [
  { program: 'docker', ask: ['version', '--format', '{{.Server.Version}}'] },
  { program: 'podman', ask: ['version'] },
] as const;

/** `--load`: hands the image to docker or podman, as the person, whichever answers first. */
export async function loadImage(image: PackedImage, place: Place, signal: AbortSignal): Promise<void> {
  for (const { program, ask } of LOADERS) {
    const answer = await runOutside(place, [program, ...ask], { signal });
    if (answer.code !== 0) continue;
    const archive = new PassThrough();
    const written = writeDockerArchive(archive, [image]);
    written.catch((error: unknown) => archive.destroy(error as Error));
    const { code, stderr } = await runOutside(place, [program, 'load'], {
      stdin: archive,
      signal,
    });
    await written;
    if (code === 0) return;
    throw new BuildError('output', `${program} load failed: ${lastLine(stderr)}`, {
      hint: `The image is in tsbuild's own store: try "tsbuild save NAME -o image.tar" and "${program} load -i image.tar".`,
    });
  }
  throw new BuildError('output', '--load found neither docker (with a running daemon) nor podman', {
    hint: 'Leave --load away: the image is in the local store; "tsbuild save" writes it to a file.',
  });
}

function lastLine(output: Buffer): string {
  return output.toString('utf8').trim().split('\n').at(-1) ?? '';
}
