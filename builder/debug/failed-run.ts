import { basename } from 'node:path';
import type { BuildError } from '../../src/core/errors.ts';
import type { Exit, SandboxPlan } from '../sandbox/plan.ts';
import type { PlannedRun } from '../steps/planned-run.ts';
import type { Tools } from '../tools.ts';
import type { Debugger, Stop } from './debugger.ts';
import { type FailedRun, keepFailed } from './keep-failed.ts';
import { runShell } from './shell.ts';

/**
 * Lets somebody look around in a step that failed, where the build has somebody: gives `retry`, or what the step has changed
 * by the end where the build goes on with that. Otherwise keeps the step for later, and throws its failure.
 */
export async function leaveFailed(failed: FailedRun, tools: Tools): Promise<'retry' | Exit> {
  const { debug } = tools;
  const left = debug?.atFailures === true ? await lookAround(failed, debug, tools) : failed.exit;
  if (left === 'retry') return left;
  if ('goOn' in left) {
    tools.emit({ type: 'note', level: 'warning', text: continued(failed) });
    return left.goOn;
  }
  const kept = await keepFailed({ ...failed, exit: left }, tools);
  throw kept ? withWay(failed.failure, tools) : failed.failure;
}

type Left = 'retry' | Exit | { readonly goOn: Exit };

async function lookAround(
  { planned, exit, failure }: FailedRun,
  debug: Debugger,
  tools: Tools,
): Promise<Left> {
  let all = exit;
  const answer = await debug.stop(stopOf(planned, failure), async (terminal) => {
    const plan: SandboxPlan = { ...planned.plan, ...(all.journal && { journal: all.journal }) };
    const { input, engine, scratch } = planned;
    const shell = await runShell({ plan, shell: input.shell, engine, scratch }, { terminal }, tools.signal);
    all = together(all, shell);
    return shell.code;
  });
  if (answer === 'retry') return answer;
  return answer === 'continue' ? { goOn: all } : all;
}

function stopOf({ input }: PlannedRun, { exitCode = 1, message }: BuildError): Stop {
  const { user, workdir, shown } = input;
  return { ...shown, user, workdir, failure: { exitCode, message } };
}

/** What two processes left, one after the other. */
function together(first: Exit, second: Exit): Exit {
  const touched = [...(first.touched ?? []), ...(second.touched ?? [])];
  const journal = [...(first.journal ?? []), ...(second.journal ?? [])];
  return {
    ...first,
    residue: [...new Set([...first.residue, ...second.residue])],
    ...(first.touched && { touched }),
    ...(first.journal && { journal }),
  };
}

function continued({ planned, exit }: FailedRun): string {
  return `${planned.input.shown.name}: failed with exit code ${exit.code}, and the build goes on with its files as somebody left them; the cache keeps nothing of it`;
}

/** Whoever asked for a shell and has no terminal has to know which build it was. */
function withWay(failure: BuildError, { debug, options, logs }: Tools): BuildError {
  const way =
    debug === undefined && options.debug?.atFailures === true
      ? `--debug-shell found no terminal: \`tsbuild debug ${basename(logs)}\` opens the shell where there is one.`
      : '`tsbuild debug` opens a shell where it failed.';
  return failure.with({ hint: failure.hint === undefined ? way : `${failure.hint} ${way}` });
}
