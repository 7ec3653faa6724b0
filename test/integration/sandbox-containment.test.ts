import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  caseAt,
  gapAt,
  networksOf,
  type ProbeCase,
  type ProbedPlace,
  probedPlaces,
  readProbes,
  withTable,
} from '../support/containment.ts';
import { processesWith } from '../support/processes.ts';
import { run } from '../support/programs.ts';
import { checkCase, jobOf, readCases } from '../support/sandbox-cases.ts';
import type { Job, JobResult } from '../support/sandbox-driver.ts';
import { SandboxPlace } from '../support/sandbox-place.ts';
import { skip } from '../support/skips.ts';

/** A case with one of its networks. */
interface Attempt {
  readonly title: string;
  readonly one: ProbeCase;
  readonly network: 'host' | 'none';
}

const probes = readProbes();
const cases = probes
  .flatMap(({ probe, cases }) => cases.map((one) => ({ probe, one })))
  .filter(({ one }) => runsHere(one));

function attemptsAt(where: ProbedPlace): readonly Attempt[] {
  return cases.flatMap(({ probe, one }) =>
    networksOf(one, where).map((network) => ({
      title: `${probe}: ${one.name} (${network})`,
      one: caseAt(one, where),
      network,
    })),
  );
}

/** What steps have among their arguments that must be gone with them. */
const left = probes.flatMap(({ cases }) => cases.flatMap(({ gone }) => gone ?? []));

/**
 * The shell from which the command is started is a careless one: a file open on descriptor 9, a terminal, a secret in
 * its session keyring and in the environment.
 */
const careless = `exec 9<"$1"
out=$2
shift 2
exec perl -e 'my ($name, $type, $key) = ("tsbuild", "user", "hidden");
  syscall(250, 1, $name); syscall(248, $type, $name, $key, 6, -3); exec @ARGV' \\
  script -qec "$* >$out" /dev/null`;

const needs = { root: true, programs: ['unshare', 'setpriv', 'busybox', 'perl', 'script'] };

describe.skipIf(skip('containment', needs))('containment', () => {
  let place: SandboxPlace;
  let outside: Outside;

  beforeAll(async () => {
    place = await SandboxPlace.make();
    outside = await Outside.open();
  });

  afterAll(() => {
    outside?.close();
    place?.remove();
  });

  describe.each(probedPlaces)('$engine on rung $rung, /proc $proc', (where) => {
    if (skip(`the engine ${where.engine}`, { programs: where.engine === 'builtin' ? [] : [where.engine] }))
      return;
    const attempts = attemptsAt(where);
    let results: readonly JobResult[] = [];
    let alive = false;

    beforeAll(async () => {
      const victim = outside.victim(place.as(where.who));
      const words = { ...outside.words, OUTSIDE: place.folder, VICTIM: String(victim.pid) };
      const jobs = attempts.map(({ one, network }) =>
        jobOf({ ...one, network }, { place, who: where.who, words }),
      );
      results = await perform(place, commandAt(place, where, jobs));
      alive = victim.exitCode === null && victim.signalCode === null;
      victim.kill();
    });

    it.each(attempts)('$title', (attempt) => expectHeld(attempt, where, results[attempts.indexOf(attempt)]!));

    // Where that is not held, the probe has ended it.
    it('spares the processes outside', () => expect(alive).toBe(where.rung !== 'chroot'));

    it('leaves no process and no mount', () => {
      expect(left.filter((mark) => processesWith(mark).length > 0)).toEqual([]);
      expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(place.folder);
    });
  });
});

describe.skipIf(skip('a masked /proc', needs))('where parts of /proc are masked', () => {
  const [only] = probes
    .flatMap(({ cases }) => cases)
    .filter(({ name }) => name === 'only its own processes are seen');
  let place: SandboxPlace;

  beforeAll(async () => {
    place = await SandboxPlace.make();
  });

  afterAll(() => place?.remove());

  const see = async (engine: string, rung: string, who: 'root' | 'user'): Promise<JobResult> => {
    const jobs = [jobOf(only!, { place, who, words: {} })];
    const results = await perform(place, commandAt(place, { engine, rung, who, proc: 'bound' }, jobs));
    return results[0]!;
  };

  it.each(['builtin', 'crun', 'runc'])('real root gets a /proc of its own by %s', async (engine) => {
    if (skip(`the engine ${engine}`, { programs: engine === 'builtin' ? [] : [engine] })) return;
    checkCase(only!, await see(engine, 'root', 'root'));
  });

  it.skipIf(skip('runc', { programs: ['runc'] }))('runc is refused in a user namespace', async () => {
    const result = await see('runc', 'subuid', 'user');
    expect(result).toMatchObject({
      error: 'sandbox',
      message: expect.stringContaining('parts of /proc are hidden'),
    });
  });
});

describe('the table of probes', () => {
  it('has all twenty-two, each with something that tries it', () => {
    expect(probes.map(({ probe }) => probe)).toEqual(Array.from({ length: 22 }, (_, at) => at + 1));
    for (const { title, cases, mounts = [], builds = [], tests = [] } of probes) {
      expect([...cases, ...mounts, ...builds, ...tests], title).not.toEqual([]);
    }
  });

  it('names what there is', () => {
    const known = readCases('mounts').map(({ name }) => name);
    expect(probes.flatMap(({ mounts = [] }) => mounts).filter((name) => !known.includes(name))).toEqual([]);
    const files = probes.flatMap(({ builds = [], tests = [] }) => [
      ...builds.map((name) => `testdata/build/${name}/case.json`),
      ...tests,
    ]);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
  });

  it('stands in docs/containment.md', () => {
    const file = 'docs/containment.md';
    const text = readFileSync(file, 'utf8');
    const wanted = withTable(text, probes);
    if (process.env.TSBUILD_TEST_WRITE === '1') writeFileSync(file, wanted);
    else expect(text).toBe(wanted);
  });
});

/** What does get through is as named: a list that says too much is wrong too. */
function expectHeld({ one, network }: Attempt, where: ProbedPlace, result: JobResult): void {
  const gap = gapAt(one, where, network);
  if (gap === undefined) {
    checkCase(one, result);
    return;
  }
  expect(result.error, result.message).toBeUndefined();
  expect(() => checkCase(one, result), `held, against “${gap.why}”: ${result.stdout}`).toThrow();
}

function runsHere({ calls, x64, name }: ProbeCase): boolean {
  const numbered = calls !== undefined || x64 === true;
  if (numbered && process.arch !== 'x64') console.warn(`skipped: ${name}: its numbers are those of x86-64`);
  return !numbered || process.arch === 'x64';
}

/** A file of /proc that is hidden by a mount, as in containers, makes the kernel refuse a fresh one. */
const masked = [
  'unshare',
  '--mount',
  'sh',
  '-c',
  '"mount --bind /dev/null /proc/keys && exec \\"\\$@\\""',
  'sh',
];

function commandAt(
  place: SandboxPlace,
  { who, engine, rung, proc }: ProbedPlace,
  jobs: readonly Job[],
): string[] {
  const command = place.command(who, engine, jobs);
  const named = ['single', 'chroot'].includes(rung) ? [`--isolation=${rung}`] : [];
  return [...(proc === 'bound' ? masked : []), ...command, ...named];
}

/** Runs the driver from the careless shell. */
async function perform(place: SandboxPlace, command: readonly string[]): Promise<readonly JobResult[]> {
  const folder = place.work('root');
  const [secret, out] = [join(folder, 'secret'), join(folder, 'results')];
  writeFileSync(secret, 'known to the reader of this file alone\n');
  const outcome = await run(['sh', '-c', careless, 'sh', secret, out, ...command], {
    env: place.environment(),
    cwd: '/',
  });
  if (outcome.code !== 0)
    throw new Error(`the driver ended with ${outcome.code}: ${outcome.stdout}${outcome.stderr}`);
  const lines = readFileSync(out, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as JobResult);
}

/** What a step could reach for outside: a port, an abstract socket, a process. */
class Outside {
  readonly words: Readonly<Record<string, string>>;
  readonly #servers: readonly Server[];
  readonly #victims: ChildProcess[] = [];

  private constructor(servers: readonly Server[], words: Readonly<Record<string, string>>) {
    this.#servers = servers;
    this.words = words;
  }

  static async open(): Promise<Outside> {
    const name = `tsbuild-test-${process.pid}`;
    const [port, socket] = [greeter(), greeter()];
    await new Promise<void>((resolve) => port.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => socket.listen(`\0${name}`, resolve));
    const { port: number } = port.address() as { port: number };
    return new Outside([port, socket], { PORT: String(number), SOCKET: name });
  }

  victim(as: readonly string[]): ChildProcess {
    const [program = 'sleep', ...args] = [...as, 'sleep', '600'];
    const victim = spawn(program, args, { stdio: 'ignore' });
    this.#victims.push(victim);
    return victim;
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const victim of this.#victims) victim.kill('SIGKILL');
  }
}

function greeter(): Server {
  return createServer((socket) => socket.on('error', () => {}).end('greeting\n'));
}
