// A program for tests: runs plans from a JSON file with one engine and prints what came of each as a line of JSON.
// It is bundled and started as root or inside a user namespace: `driver ENGINE JOBS WORK`.
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
const { engine } = chooseEngine(readPlace(process.env), runtime);
for (const job of JSON.parse(readFileSync(jobsFile, 'utf8')) as Job[]) {
  process.stdout.write(`${JSON.stringify(await performBeside(engine, job))}\n`);
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
  { plan, lower, when, inherit }: Job,
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
    const whole = { ...plan, root: { lower, upper, work: workdir } };
    return { ...(await chosen.run(whole, io, run, controller.signal)), ...seen };
  } catch (error) {
    const { code, name, message } = error as Error & { code?: string };
    return { ...seen, error: code ?? name, message };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
