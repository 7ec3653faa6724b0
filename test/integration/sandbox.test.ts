import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processesWith } from '../support/processes.ts';
import { asWithoutMounts, checkCase, jobOf, readCases } from '../support/sandbox-cases.ts';
import type { JobResult } from '../support/sandbox-driver.ts';
import { SandboxPlace } from '../support/sandbox-place.ts';
import { skip } from '../support/skips.ts';

const cases = ['process', 'mounts'].map((topic) => ({ topic, cases: readCases(topic) }));
const all = cases.flatMap((group) => group.cases);

describe.skipIf(skip('sandbox engines', { root: true, programs: ['unshare', 'setpriv', 'busybox'] }))(
  'engines',
  () => {
    let place: SandboxPlace;

    beforeAll(async () => {
      place = await SandboxPlace.make();
    });

    afterAll(() => place?.remove());

    describe.each([
      ['builtin', 'root'],
      ['builtin', 'user'],
      ['crun', 'root'],
      ['crun', 'user'],
      ['runc', 'root'],
      ['runc', 'user'],
    ] as const)('%s as %s', (runtime, who) => {
      if (skip(`the engine ${runtime}`, { programs: runtime === 'builtin' ? [] : [runtime] })) return;
      let results: readonly JobResult[] = [];

      beforeAll(async () => {
        const jobs = all.map((one) => jobOf(one, { place, who }));
        results = await place.perform(who, runtime, jobs);
      });

      for (const { topic, cases: group } of cases) {
        describe(topic, () => {
          it.each(group)('$name', (one) => checkCase(one, results[all.indexOf(one)]!));
        });
      }

      it('leaves no process and no mount', () => {
        expect(processesWith('71234561')).toEqual([]);
        expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(place.folder);
      });
    });

    describe('builtin in a container, without mounts', () => {
      let results: readonly JobResult[] = [];
      const copied = all.map(asWithoutMounts);

      beforeAll(async () => {
        const jobs = copied.map((one) => jobOf(one, { place, who: 'root' }));
        results = await place.perform('root', 'builtin', jobs, place.inContainer('docker-root'));
      });

      it.each(copied)('$name', (one) => checkCase(one, results[copied.indexOf(one)]!));

      it('has a filter where the container has none, and then gains no rights', async () => {
        const setuid = copied.find(({ name }) => name === 'a setuid program gains root')!;
        const tries = [
          { name: 'a namespace', script: 'unshare -U true 2>/dev/null || echo refused', copied: true },
          setuid,
        ];
        const jobs = tries.map((one) => jobOf(one, { place, who: 'root' }));
        const found = await place.perform('root', 'builtin', jobs, place.inContainer('docker-unconfined'));
        expect(found.map(({ stdout }) => stdout)).toEqual(['refused\n', '1000\n']);
      });
    });
  },
);
