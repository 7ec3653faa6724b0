import type { KeptStep } from '../../builder/debug/kept-step.ts';
import { keptIn, type ReopenedStep, reopenStep } from '../../builder/debug/reopened-step.ts';
import { runShell, type ShellUse } from '../../builder/debug/shell.ts';
import { chooseEngine } from '../../builder/sandbox/choose.ts';
import { Confines } from '../../builder/sandbox/confines.ts';
import { type RunTools, withPlan } from '../../builder/steps/planned-run.ts';
import { RootForms } from '../../builder/steps/root-form.ts';
import { secretValue } from '../build/secret-value.ts';
import { BuildError } from '../core/errors.ts';
import type { SecretSource, SshSource } from '../core/options.ts';
import type { Builds, KeptBuild } from '../core/remembered.ts';
import { renderKept } from '../report/stop.ts';
import { findBuild } from './find-build.ts';
import type { Surroundings } from './surroundings.ts';
import { shellTerminal } from './terminal.ts';
import { openParts } from './wiring.ts';

export interface DebugCommand {
  /** The build whose step it is; the last one that keeps one where it is absent. */
  readonly build?: string;
  /** Run by the shell, which nobody then types into. */
  readonly command?: string;
  readonly secrets: readonly SecretSource[];
  readonly ssh: readonly SshSource[];
}

/**
 * Opens a shell where a step failed, as its files were then; gives the exit code: 0, or that of the command. What is changed
 * there is dropped. Fails with `not-found` where no such step is kept.
 */
export async function debug(options: DebugCommand, here: Surroundings): Promise<number> {
  await using parts = await openParts(here.root, here.registry, here.place, { emit: here.emit });
  const { store } = parts;
  const { build, folder, kept } = keptBuild(store.builds, options.build);
  const warn = (text: string): void => here.say(`warning: ${text}\n`);
  await using confines = new Confines(kept.bounds, warn);
  const tools: RunTools = {
    ...{ store, confines, signal: here.signal, emit: here.emit, cacheMounts: new Set() },
    secret: (id) => secretValue(id, options.secrets),
    ssh: async (id) => (await import('../build/ssh-source.ts')).sshAgent(id, options.ssh),
    shared: async () => ({ find: () => [], mount: () => undefined }),
  };
  const step = await reopenStep(folder, kept, tools);
  const { engine, warning } = await chooseEngine(here.place);
  if (warning !== undefined) warn(warning);
  if (options.command === undefined) here.say(bannerOf(kept, build.id, step.absent));
  const forms = new RootForms(store.root, (text) => here.say(`${text}\n`));
  const code = await forms.use(engine, (form) => {
    const running = { input: step.input, form, engine };
    return withPlan(step.layers, { running, tools }, async ({ plan, scratch }) => {
      const place = { plan, engine, scratch, shell: step.input.shell };
      return (await runShell(place, useOf(options, here), here.signal)).code;
    });
  });
  return options.command === undefined ? 0 : code;
}

function bannerOf(
  { shown, user, workdir, exitCode }: KeptStep,
  build: string,
  absent: ReopenedStep['absent'],
) {
  return renderKept({ ...shown, user, workdir, failure: { exitCode }, build, absent });
}

function useOf({ command }: DebugCommand, here: Surroundings): ShellUse {
  return command === undefined
    ? { terminal: shellTerminal() }
    : { command, write: (fd, chunk) => void here.output(fd, chunk) };
}

interface Found {
  readonly build: KeptBuild;
  readonly folder: string;
  readonly kept: KeptStep;
}

/** The step that the named build keeps, or the last one that is kept. */
function keptBuild(builds: Builds, word: string | undefined): Found {
  const named = word === undefined ? undefined : findBuild(builds, word);
  for (const build of named === undefined ? builds.list() : [named]) {
    const folder = builds.folder(build.id);
    const kept = keptIn(folder);
    if (kept !== undefined) return { build, folder, kept };
  }
  const what =
    named === undefined ? 'no step that failed is kept' : `build ${named.id} keeps no step that failed`;
  throw new BuildError('not-found', what, {
    hint: 'The last three builds in which the command of a RUN failed keep it, up to 2 GB each, until it is pruned.',
  });
}
