import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HostPlace, hostPlaces, inHostPlace, placePrograms } from '../support/host-place.ts';
import { type OrdinaryUser, ordinaryUser } from '../support/ordinary-user.ts';
import { must, type Outcome, run } from '../support/programs.ts';
import { skip } from '../support/skips.ts';

/** The page of every place, as it is to be read there: `TSBUILD_TEST_WRITE=1` writes what it says now. */
const folder = 'testdata/doctor';

/** More than the smallest store holds. */
const containerfile = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "dd", "if=/dev/zero", "of=/big", "bs=1M", "count=64"]
`;

describe.skipIf(skip('tsbuild doctor in places', { root: true, programs: [...placePrograms, 'busybox'] }))(
  'tsbuild doctor',
  () => {
    let user: OrdinaryUser;
    let scratch: string;

    beforeAll(async () => {
      user = await ordinaryUser();
      scratch = mkdtempSync(join(tmpdir(), 'tsbuild-places-'));
      chmodSync(scratch, 0o755);
    });

    afterAll(() => rmSync(scratch, { recursive: true, force: true }));

    async function tsbuild(name: string, words: readonly string[]): Promise<Outcome> {
      const place: HostPlace = hostPlaces[name as keyof typeof hostPlaces];
      const home = mkdtempSync(join(scratch, `${name}-`));
      copyFileSync('/bin/busybox', join(home, 'busybox'));
      writeFileSync(join(home, 'Containerfile'), containerfile);
      if (place.who === 'user') await must(['chown', `${user.uid}:${user.gid}`, home]);
      const root = place.store === undefined ? {} : { TSBUILD_ROOT: place.store };
      const env = { PATH: process.env.PATH, HOME: '/home/builder', ...root };
      const command = inHostPlace(place, [user.tsbuild, ...words], { scratch, user, env, home });
      return await run(command, { env });
    }

    it.each(Object.entries(hostPlaces))(
      'tells what RUN gets, and how to better it: %s',
      async (name, place) => {
        const { stdout, stderr, code } = await tsbuild(name, ['doctor']);
        expect(stderr).toBe('');
        const page = `${place.about} (exit ${code})\n\n${lasting(stdout)}`;
        const file = join(folder, `${name}.txt`);
        if (process.env.TSBUILD_TEST_WRITE === '1') {
          mkdirSync(folder, { recursive: true });
          writeFileSync(file, page);
        }
        expect(page).toBe(existsSync(file) ? readFileSync(file, 'utf8') : '');
        expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
      },
    );

    it('tells machines the same', async () => {
      const { stdout, code } = await tsbuild('no-range', ['doctor', '--format', 'json']);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        works: true,
        rungs: expect.arrayContaining([
          expect.objectContaining({
            name: 'subuid',
            works: false,
            remedy: expect.stringContaining('usermod'),
          }),
          expect.objectContaining({ name: 'single', chosen: true }),
        ]),
        checks: expect.arrayContaining([expect.objectContaining({ name: 'store', works: true })]),
      });
    });

    it.each([
      ['store-noexec', /no step can run in the store \/store\/own: .* it is mounted noexec/],
      ['store-full', /no space left|disk is full|ENOSPC/i],
      ['store-read-only', /the store \/store\/own cannot be opened \(EROFS\)/],
      ['store-of-others', /belongs to another user/],
      ['no-setfcap', /docker run --cap-add SETFCAP/],
      ['no-mount-namespaces', /sysctl -w user\.max_mnt_namespaces=15000/],
    ])('says what a build says there: %s', async (name, message) => {
      const { stderr, code } = await tsbuild(name, ['build', '/home/builder']);
      expect(code, stderr).toBe(1);
      expect(stderr).toMatch(message);
    });
  },
);

/** What differs between machines: which runtimes are installed. */
function lasting(page: string): string {
  return page.replace(/, (?:crun|runc) [^\s,]+/g, '');
}
