import { usageError } from '../core/errors.ts';
import type { BuildOptions, Output } from '../core/options.ts';
import type { BuildFlags } from './build-flags.ts';
import { absolute, compact } from './fields.ts';
import type { Host } from './host.ts';
import { keepsTimes, parseOutput } from './outputs.ts';

/** What is known of a build by the time that its results are read. */
interface Known extends Pick<BuildOptions, 'tags' | 'platforms' | 'cacheTo'> {}

/** What a build hands out, in which form, and the files that tell of it. Fails with `usage`. */
export function resultOptions(flags: BuildFlags, known: Known, host: Host) {
  return {
    outputs: checkPlatforms(outputsOf(flags, known.tags, host), known.platforms),
    ...(keepsTimes(flags.output) && { keepTimes: true }),
    ...compact({
      squash: squashOf(flags, known.cacheTo),
      iidFile: absolute(flags.iidfile, host),
      metadataFile: absolute(flags.metadataFile, host),
      digestFile: absolute(flags.digestFile, host),
      nameDigestFile: absolute(flags.imageNameWithDigestFile, host),
      nameTagDigestFile: absolute(flags.imageNameTagWithDigestFile, host),
    }),
  };
}

function outputsOf(flags: BuildFlags, tags: readonly string[], host: Host): Output[] {
  const near = { cwd: host.cwd, tags, stdoutIsTerminal: host.isTerminal(1) };
  const outputs = (flags.output ?? []).map((text) => parseOutput(text, near));
  if (flags.load && !outputs.some((output) => output.type === 'load')) outputs.push({ type: 'load' });
  const push = flags.push ?? flags.destination !== undefined;
  if (push && tags.length === 0) throw usageError('--push has no name to push to', 'Add -t NAME.');
  if (push) outputs.push({ type: 'registry', names: tags });
  if (flags.sign !== undefined && !outputs.some(({ type }) => type === 'registry'))
    throw usageError('--sign signs what is pushed, and nothing is', 'Add --push.');
  if (flags.offline && outputs.some(({ type }) => type === 'registry'))
    throw usageError('--offline asks no registry, and pushing does', 'Keep one of both.');
  if (outputs.filter((output) => 'dest' in output && output.dest === '-').length > 1)
    throw usageError('two outputs go to stdout', 'Give one of them a dest=FILE.');
  return outputs;
}

/** Docker's archives hold one platform: told before anything is built. */
function checkPlatforms(outputs: Output[], platforms: Known['platforms']): Output[] {
  const output = outputs.find(({ type }) => type === 'load' || type === 'docker');
  if (platforms.length < 2 || output === undefined) return outputs;
  throw usageError(
    `${output.type === 'load' ? '--load' : '-o type=docker'} cannot hold an image for several platforms`,
    'Name one platform with --platform, or write an OCI archive with -o type=oci,dest=FILE.',
  );
}

function squashOf(
  { squash, squashAll }: BuildFlags,
  cacheTo: Known['cacheTo'],
): BuildOptions['squash'] | undefined {
  if (!squash && !squashAll) return undefined;
  if (cacheTo.some(({ site }) => site.type === 'inline'))
    throw usageError(
      'an image of one layer cannot be a cache of its steps',
      'Share the cache apart: --cache-to type=registry,ref=NAME.',
    );
  return squashAll ? 'all' : 'new';
}
