import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type BaseImage, busyboxBase } from '../support/base-images.ts';
import { type HostPlace, hostPlaces, inHostPlace, placePrograms } from '../support/host-place.ts';
import { ordinaryUser } from '../support/ordinary-user.ts';
import { type Outcome, run } from '../support/programs.ts';
import { sharedFolder, temporaryFolder } from '../support/shared.ts';
import { skip } from '../support/skips.ts';

/** Several steps of a stage, another stage to mount, everything that is mounted. */
const containerfile = `FROM localhost/tsbuild-test/busybox:1 AS other
RUN mkdir /made && echo other >/made/file && chown 5:6 /made/file
FROM localhost/tsbuild-test/busybox:1
RUN mkdir -p /srv/deep && echo one >/srv/deep/one && chmod 2750 /srv && ln /srv/deep/one /srv/two && rm /etc/group
COPY file /copied/
RUN rm -r /srv/deep && mkdir /srv/deep && cat /copied/file >/srv/deep/three && adduser -D -u 77 joe; echo ok
RUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/scratch \\
    echo kept >/cache/kept && cp /cache/kept /from-cache && echo 1 >/scratch/1
RUN --mount=type=cache,target=/cache test -e /cache/kept
RUN --mount=type=cache,id=both,target=/one --mount=type=cache,id=both,target=/two echo x >/one/x && test -e /two/x
RUN --mount=type=bind,from=other,target=/mnt cp -p /mnt/made/file /from-other
RUN --mount=type=bind,from=other,target=/mnt,rw echo changed >/mnt/made/file
RUN --mount=type=bind,source=file,target=/given/file test "$(cat /given/file)" = content
RUN --mount=type=secret,id=word,target=/run/secrets/word test "$(cat /run/secrets/word)" = hidden
RUN <<END
  cat /etc/resolv.conf >/dev/null && grep -q localhost /etc/hosts
END
USER 77
RUN id -u >/tmp/id && test "$(cat /tmp/id)" = 77
`;

/** No overlay inherits what a mount forbids, and a copy's does not either. */
const strict: HostPlace = {
  ...hostPlaces['store-on-overlay'],
  first: 'mount --bind /var/tmp /var/tmp; mount -o remount,bind,noexec,nosuid /var/tmp',
};

describe.skipIf(skip('steps without an overlay', { root: true, programs: [...placePrograms, 'busybox'] }))(
  'where no overlay can be mounted',
  () => {
    async function build(place: HostPlace | undefined, base: BaseImage, flags: readonly string[] = []) {
      await using folder = temporaryFolder('copy-root');
      await using scratch = temporaryFolder('copy-root-place');
      const context = join(folder.path, 'context');
      mkdirSync(context);
      writeFileSync(join(context, 'file'), 'content');
      writeFileSync(join(context, 'Containerfile'), containerfile);
      writeFileSync(join(folder.path, 'word'), 'hidden');
      const store = place === undefined ? join(folder.path, 'store') : '/var/tmp/store';
      const given = ['--secret', `id=word,src=${join(folder.path, 'word')}`, '--progress=plain'];
      const words = [
        store,
        base.archive,
        ...flags,
        ...given,
        '-o',
        `type=oci,tar=false,dest=${folder.path}/out`,
        context,
      ];
      const line = ['sh', '-c', script, resolve('bin/tsbuild'), ...words];
      const env = { PATH: process.env.PATH!, HOME: folder.path, SOURCE_DATE_EPOCH: '1000000000' };
      const options = { scratch: scratch.path, user: await ordinaryUser(), env, cwd: folder.path };
      const keep = [folder.path, sharedFolder()];
      const command = place === undefined ? line : inHostPlace(place, line, { ...options, keep });
      const outcome = await run(command, { env, cwd: folder.path });
      return { outcome, layers: outcome.code === 0 ? layersIn(join(folder.path, 'out')) : [] };
    }

    let known: ReturnType<typeof build> | undefined;
    const asUsual = async () => {
      known ??= build(undefined, await busyboxBase());
      return await known;
    };

    it('builds the same image, and says once why it is slower', async () => {
      const base = await busyboxBase();
      const usual = await asUsual();
      expect(usual.outcome.code, said(usual.outcome)).toBe(0);
      const copied = await build(strict, base);
      expect(copied.outcome.code, said(copied.outcome)).toBe(0);
      expect(copied.layers).toEqual(usual.layers);
      expect(said(copied.outcome).match(/no overlay can be mounted in the store/g)).toHaveLength(1);
      expect(said(copied.outcome)).toContain('which lies on overlay: RUN works in a full copy');
      expect(said(usual.outcome)).not.toContain('full copy');
    });

    it('builds the same image where nothing can be mounted at all, and says once what that costs', async () => {
      const base = await busyboxBase();
      const usual = await asUsual();
      const moved = await build(hostPlaces['docker-root'], base, ['--isolation=chroot']);
      expect(moved.outcome.code, said(moved.outcome)).toBe(0);
      expect(moved.layers).toEqual(usual.layers);
      expect(said(moved.outcome).match(/isolation `chroot` is no boundary/g)).toHaveLength(1);
    });
  },
);

const script = `store=$1 archive=$2; shift 2
"$0" load --root "$store" -i "$archive" && exec "$0" build --root "$store" "$@"`;

function said({ stdout, stderr }: Outcome): string {
  return stdout + stderr;
}

/** The digests of the uncompressed layers. */
function layersIn(layout: string): string[] {
  const json = (digest: string): Record<string, unknown> =>
    JSON.parse(readFileSync(join(layout, 'blobs', digest.replace(':', '/')), 'utf8'));
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  const manifest = json(index.manifests[0].digest) as { config: { digest: string } };
  return (json(manifest.config.digest) as { rootfs: { diff_ids: string[] } }).rootfs.diff_ids;
}
