import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../support/programs.ts';
import { checkCase, jobOf, readCases, type SandboxCase } from '../support/sandbox-cases.ts';
import type { Job, JobResult } from '../support/sandbox-driver.ts';
import { SandboxPlace } from '../support/sandbox-place.ts';
import { skip } from '../support/skips.ts';

const needs = { root: true, programs: ['unshare', 'setpriv', 'busybox', 'perl'] };

describe.skipIf(skip('answers to the calls of a step', needs))('answers to the calls of a step', () => {
  let place: SandboxPlace;

  beforeAll(async () => {
    place = await SandboxPlace.make();
  });

  afterAll(() => place?.remove());

  async function perform(jobs: readonly Job[]): Promise<JobResult[]> {
    const command = [...place.command('user', 'builtin', jobs), '--isolation=single'];
    const { code, stdout, stderr } = await run(command, { env: place.environment(), cwd: '/' });
    expect(code, stderr).toBe(0);
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as JobResult);
  }

  const job = (one: SandboxCase): Job => jobOf(one, { place, who: 'user' });

  describe('stay right, and end', () => {
    const cases = readCases('ownership').filter(({ calls }) => calls === undefined || process.arch === 'x64');
    let results: JobResult[];

    beforeAll(async () => {
      results = await perform(cases.map(job));
    });

    it.each(cases.map((one, at) => [one.name, at] as const))('with %s', (_, at) => {
      checkCase(cases[at]!, results[at]!);
    });
  });

  it('are for each of several steps its own', async () => {
    const script = (id: number): string =>
      `for n in $(seq 100); do : > /f$n; chown ${id}:$n /f$n; done; stat -c %u:%g /f1 /f100`;
    const steps = [1, 2, 3, 4].map((id) => ({ ...job({ name: '', script: script(id) }), together: true }));
    const results = await perform(steps);
    expect(results.map(({ stdout }) => stdout)).toEqual([1, 2, 3, 4].map((id) => `${id}:1\n${id}:100\n`));
  });

  describe('fail the step', () => {
    let file: string;
    let whole: string;

    beforeAll(() => {
      file = join(place.folder, 'dist/ownership-worker.js');
      whole = readFileSync(file, 'utf8');
    });

    afterEach(() => writeFileSync(file, whole));

    /** Makes the map of running steps fail in the middle of the work. */
    const failsLater = `let left = 400; const get = Map.prototype.get;
      Map.prototype.get = function (key) {
        if (--left === 0) { Map.prototype.get = get; process.exit(9); }
        return get.call(this, key);
      };`;

    it.each([
      ['cannot be loaded', () => 'import "./nowhere.js";'],
      ['throws', () => 'throw new Error("no");'],
      ['ends', () => 'process.exit(0);'],
      ['ends in the middle', () => `${failsLater}\n${whole}`],
    ])('where their thread %s', async (_, text) => {
      writeFileSync(file, text());
      expect(statSync(file).size).toBeGreaterThan(0);
      const script = 'for n in $(seq 300); do : > /f$n; chown 1:1 /f$n; done; echo done';
      const [first, second] = await perform([job({ name: '', script }), job({ name: '', script: 'true' })]);
      expect(first).toMatchObject({ error: 'sandbox', message: expect.stringContaining('records owners') });
      // Nobody waits for the thread of an earlier step.
      expect(second?.error ?? 'sandbox').toBe('sandbox');
    });
  });
});
