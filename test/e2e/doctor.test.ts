import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HostPlace, hostPlaces, inHostPlace, placePrograms } from '../support/host-place.ts';
import { type OrdinaryUser, ordinaryUser } from '../support/ordinary-user.ts';
import { must, type Outcome, run } from '../support/programs.ts';
import { skip } from '../support/skips.ts';

interface Told {
  readonly works: boolean;
  readonly rungs: readonly {
    readonly name: string;
    readonly works: boolean;
    readonly chosen: boolean;
    readonly remedy?: string;
  }[];
  readonly checks: readonly { readonly name: string; readonly works: boolean }[];
}

/** Place → the rung chosen there (none: no RUN), and pieces of the remedies for rungs and what is besides. */
const expected: Readonly<
  Record<
    keyof typeof hostPlaces,
    readonly [rung: string, remedies: Readonly<Record<string, string>>, bad?: string]
  >
> = {
  'docker-root': [
    'none',
    { root: '--privileged', mapped: 'seccomp=unconfined', single: 'seccomp=unconfined' },
  ],
  restricted: ['none', { subuid: 'seccomp=unconfined', single: 'seccomp=unconfined' }],
  'no-new-privileges': ['single', { subuid: 'no_new_privs' }],
  'masked-proc': ['single', {}, 'proc'],
  'docker-unconfined': ['mapped', { root: '--privileged' }, 'proc'],
  'unmasked-unconfined': ['mapped', { root: '--privileged' }],
  'store-on-overlay': ['root', {}],
  'read-only-root': ['subuid', {}],
  'one-uid': ['single', { root: '--privileged' }],
  'no-user-namespaces': [
    'none',
    { subuid: 'max_user_namespaces=15000', single: 'max_user_namespaces=15000' },
  ],
  bare: ['single', { subuid: 'apt-get install uidmap' }],
  busybox: ['subuid', {}],
};

describe.skipIf(skip('tsbuild doctor in places', { root: true, programs: placePrograms }))(
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

    async function doctor(name: string, place: HostPlace, flags: readonly string[]): Promise<Outcome> {
      const home = join(scratch, name);
      mkdirSync(home, { recursive: true });
      if (place.who === 'user') await must(['chown', `${user.uid}:${user.gid}`, home]);
      const env = { PATH: process.env.PATH, HOME: home };
      const command = inHostPlace(place, [user.tsbuild, 'doctor', ...flags], {
        ...{ scratch, user, env },
        keep: [home],
      });
      return await run(command, { env });
    }

    it.each(Object.entries(hostPlaces))(
      'tells what RUN gets, and how to better it: %s',
      async (name, place) => {
        const [rung, remedies, bad] = expected[name as keyof typeof hostPlaces];
        const outcome = await doctor(name, place, ['--format', 'json']);
        expect(outcome.stderr).toBe('');
        const told = JSON.parse(outcome.stdout) as Told;
        expect(told.rungs.find(({ chosen }) => chosen)?.name ?? 'none', outcome.stdout).toBe(rung);
        expect(outcome.code).toBe(rung === 'none' ? 1 : 0);
        const { works, chosen } = told.rungs.find((one) => one.name === 'chroot')!;
        expect([works, chosen]).toEqual([place.who === 'root' && name !== 'one-uid', false]);
        const said = told.rungs.flatMap((one) => (one.remedy === undefined ? [] : [[one.name, one.remedy]]));
        for (const [one, remedy] of Object.entries(remedies))
          expect(Object.fromEntries(said)[one], outcome.stdout).toContain(remedy);
        expect(told.checks.filter(({ works }) => !works).map((check) => check.name)).toEqual(
          bad ? [bad] : [],
        );
      },
    );

    it('fits a terminal of 80 columns', async () => {
      const { stdout } = await doctor('restricted', hostPlaces.restricted, []);
      expect(stdout).toMatch(/^RUN does not work here; builds without RUN do\.\n/);
      expect(stdout).toContain('✗ single');
      expect(stdout).toContain('- chroot');
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    });
  },
);
