import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { mountsBelow, processesGone } from '../support/processes.ts';
import { must, type Outcome, run } from '../support/programs.ts';
import { isRoot, skip } from '../support/skips.ts';
import { imageId, loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

/** Each stage takes a moment, so that a signal finds something to interrupt. */
const containerfile = `FROM localhost/tsbuild-test/busybox:1 AS one
COPY . /src
RUN echo one && sleep 0.3 && cp -r /src /copy
FROM localhost/tsbuild-test/busybox:1 AS two
RUN echo two && sleep 0.3 && seq 200000 > /numbers
FROM one
COPY --from=two /numbers /numbers
RUN echo last && sleep 0.2 && cat /numbers > /again
`;

const needs = { programs: ['skopeo', 'busybox', 'crun'] };
const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];

describe.skipIf(skip('builds that are stopped', needs)).each(people)('as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeEach(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
    await writeContext(tsbuild);
  });
  afterEach(() => tsbuild?.[Symbol.asyncDispose]());

  it('builds normally after SIGKILL at any point, and clears up what was left', async () => {
    const random = seeded(20261120);
    for (let round = 0; round < 8; round += 1) {
      const delay = 50 + Math.floor(random() * 1800);
      await killed(tsbuild, delay);
      expect(await processesGone(tsbuild.folder), `left after SIGKILL at ${delay} ms`).toEqual([]);
    }
    await must(tsbuild.commandLine(['build', '--iidfile', 'id', 'context']), {
      cwd: tsbuild.folder,
      env: tsbuild.env,
    });
    const again = await tsbuild.run(['build', '--iidfile', 'id-2', '--progress', 'plain', 'context']);
    expect(again.stderr.match(/^#\d+ DONE/gm) ?? [], again.stderr).toEqual([]);
    expect(imageId(join(tsbuild.folder, 'id-2'))).toBe(imageId(join(tsbuild.folder, 'id')));
    await expectNothingLeft(tsbuild);
  });

  it.each([
    ['SIGINT', 130, /\btwo$/m],
    ['SIGTERM', 143, /\btwo$/m],
    ['SIGINT', 130, /\blast$/m],
    ['SIGTERM', 143, undefined],
    ['SIGINT', 130, undefined],
  ] as const)('ends at %s with %i and leaves nothing (after %s)', async (signal, code, after) => {
    const outcome = await stopped(tsbuild, signal, after);
    // A signal before Node listens ends the process by itself; a shell shows the same number.
    expect(outcome.code ?? outcome.signal, outcome.stderr).toBeOneOf([code, signal]);
    await expectNothingLeft(tsbuild);
    await tsbuild.must(['build', 'context']);
  });

  it('lets two builds of the same file run at once', async () => {
    const both = await Promise.all(
      ['a', 'b'].map((name) => tsbuild.run(['build', '--iidfile', name, '--progress', 'plain', 'context'])),
    );
    expect(
      both.map((outcome) => outcome.code),
      both.map((outcome) => outcome.stderr).join('\n'),
    ).toEqual([0, 0]);
    expect(imageId(join(tsbuild.folder, 'a'))).toBe(imageId(join(tsbuild.folder, 'b')));
  });
});

describe.skipIf(skip('a full disk', { ...needs, root: true }))('a full disk', () => {
  it('is told as such, and costs nothing that was there', async () => {
    await using tsbuild = await newTsbuild('root');
    const small = join(tsbuild.folder, 'store');
    mkdirSync(small);
    await must(['mount', '-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', small]);
    try {
      await loadBases(tsbuild, [await busyboxBase()]);
      await writeContext(tsbuild);
      await tsbuild.must(['build', '-t', 'before', 'context']);
      for (const step of ['RUN dd if=/dev/zero of=/big bs=1M count=64', 'COPY big /big'])
        await expectNoSpace(tsbuild, step);
      expect(await tsbuild.must(['images'])).toContain('before');
      await tsbuild.must(['build', '-t', 'after', 'context']);
    } finally {
      await must(['umount', small]);
    }
  });
});

async function expectNoSpace(tsbuild: Tsbuild, step: string): Promise<void> {
  const folder = join(tsbuild.folder, 'large');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'big'), Buffer.alloc(64 << 20, 'no two blocks are the same'));
  writeFileSync(join(folder, 'Containerfile'), `FROM localhost/tsbuild-test/busybox:1\n${step}\n`);
  const outcome = await tsbuild.run(['build', 'large']);
  expect(outcome.code, outcome.stderr).toBe(1);
  expect(outcome.stderr).toMatch(/no space left|disk is full|ENOSPC/i);
}

/** Starts a build and kills it after `delay` milliseconds; it may have ended before. */
async function killed(tsbuild: Tsbuild, delay: number): Promise<Outcome> {
  return run(tsbuild.commandLine(['build', '--no-cache', 'context']), {
    cwd: tsbuild.folder,
    env: tsbuild.env,
    started: (pid) => void sleep(delay).then(() => send(pid, 'SIGKILL')),
  });
}

/** Sends the signal to the whole process group, as a terminal does, at once or when the output matches. */
async function stopped(
  tsbuild: Tsbuild,
  signal: NodeJS.Signals,
  after: RegExp | undefined,
): Promise<Outcome> {
  let sent = false;
  const once = (pid: number) => {
    if (!sent) send(-pid, signal);
    sent = true;
  };
  return run(tsbuild.commandLine(['build', '--no-cache', '--progress', 'plain', 'context']), {
    cwd: tsbuild.folder,
    env: tsbuild.env,
    group: true,
    started: (pid) => void (after === undefined && sleep(150).then(() => once(pid))),
    said: (output, pid) => void (after?.test(output) && once(pid)),
  });
}

async function expectNothingLeft(tsbuild: Tsbuild): Promise<void> {
  expect(await processesGone(tsbuild.folder)).toEqual([]);
  expect(mountsBelow(tsbuild.folder)).toEqual([]);
  expect(readdirSync(join(tsbuild.folder, 'tmp'))).toEqual([]);
  const unfinished = join(tsbuild.store, 'tmp');
  expect(existsSync(unfinished) ? readdirSync(unfinished) : []).toEqual([]);
}

async function writeContext(tsbuild: Tsbuild): Promise<void> {
  const folder = join(tsbuild.folder, 'context');
  mkdirSync(join(folder, 'many'), { recursive: true });
  writeFileSync(join(folder, 'Containerfile'), containerfile);
  for (let n = 0; n < 500; n += 1) writeFileSync(join(folder, 'many', String(n)), `file ${n}\n`.repeat(50));
  await tsbuild.give(folder);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It had ended.
  }
}

/** The same numbers between 0 and 1 in every run (a linear congruence). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
