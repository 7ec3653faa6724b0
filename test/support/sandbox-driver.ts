// A program for tests: runs plans from a JSON file with one engine and prints what came of each as a line of JSON.
// It is bundled and started as root or inside a user namespace: `driver ENGINE JOBS WORK`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chooseEngine } from '../../builder/sandbox/choose.ts';
import type { Engine, SandboxPlan } from '../../builder/sandbox/plan.ts';
import { readPlace } from '../../src/core/place.ts';

/** A plan without the directories that the driver makes, and what it shall do when the step says a word. */
export interface Job {
  readonly plan: Omit<SandboxPlan, 'root'>;
  /** Topmost first. */
  readonly lower: readonly string[];
  readonly when?: { readonly says: string; readonly then: 'abort' | 'die' };
  readonly inherit?: boolean;
  /** The root is a folder, a copy of the layers, instead of an overlay. */
  readonly copied?: boolean;
  /** It runs at the same time as all others of these. */
  readonly together?: boolean;
  /** Another step, that is there while this one runs: it says `ready`, and ends with it. */
  readonly beside?: Job;
}

export interface JobResult {
  readonly code?: number;
  readonly residue?: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: number;
  /** A failure's code (of a BuildError) or name, and its words. */
  readonly error?: string;
  readonly message?: string;
}

const [runtime = 'crun', jobsFile = '', work = ''] = process.argv.slice(2);
const { engine } = await chooseEngine(readPlace(process.env), runtime);
const jobs = JSON.parse(readFileSync(jobsFile, 'utf8'), reviveBuffer) as Job[];
for (const job of jobs.filter((one) => one.together !== true)) tell(await performBeside(engine, job));
const together = jobs.filter((job) => job.together === true).map((job) => perform(engine, job));
for (const result of await Promise.all(together)) tell(result);

function tell(result: JobResult): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

function copyOf(lower: readonly string[], scratch: string): { folder: string } {
  const folder = join(scratch, 'copy');
  mkdirSync(folder, { mode: 0o755 });
  for (const layer of lower.toReversed()) execFileSync('cp', ['-a', `${layer}/.`, folder]);
  return { folder };
}

/** A Buffer in JSON is its bytes. */
function reviveBuffer(_: string, value: unknown): unknown {
  const isBuffer = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
  return isBuffer ? Buffer.from((value as unknown as { data: number[] }).data) : value;
}

async function performBeside(chosen: Engine, job: Job): Promise<JobResult> {
  if (job.beside === undefined) return await perform(chosen, job);
  const end = new AbortController();
  let other: Promise<JobResult> | undefined;
  const ready = new Promise<void>((resolve) => {
    other = perform(chosen, job.beside!, { end, ready: resolve });
  });
  await Promise.race([ready, other]);
  const result = await perform(chosen, job);
  end.abort(new Error('the other has ended'));
  await other;
  return result;
}

interface Beside {
  readonly end: AbortController;
  readonly ready: () => void;
}

async function perform(
  chosen: Engine,
  { plan, lower, when, inherit, copied }: Job,
  beside?: Beside,
): Promise<JobResult> {
  const scratch = mkdtempSync(join(work, 'step-'));
  const [upper, workdir, run] = ['upper', 'work', 'run'].map((name) => join(scratch, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [upper, workdir, run]) mkdirSync(folder, { mode: 0o755 });
  const controller = beside?.end ?? new AbortController();
  const seen = { stdout: '', stderr: '', stdoutBytes: 0 };
  const stdout = (chunk: Buffer): void => {
    seen.stdoutBytes += chunk.length;
    if (seen.stdoutBytes < 1_000_000) seen.stdout += chunk.toString();
    if (beside !== undefined && seen.stdout.includes('ready')) beside.ready();
    if (when === undefined || !seen.stdout.includes(when.says)) return;
    if (when.then === 'abort') controller.abort(new Error('aborted by the test'));
    else process.kill(process.pid, 'SIGKILL');
  };
  const stderr = (chunk: Buffer): void => {
    seen.stderr += chunk.toString();
  };
  try {
    const io = { stdin: inherit === true ? ('terminal' as const) : ('empty' as const), stdout, stderr };
    const whole = {
      ...plan,
      root: copied === true ? copyOf(lower, scratch) : { lower, upper, work: workdir },
    };
    return { ...(await chosen.run(whole, io, run, controller.signal)), ...seen };
  } catch (error) {
    const { code, name, message } = error as Error & { code?: string };
    return { ...seen, error: code ?? name, message };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
