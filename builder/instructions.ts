import { resolve } from 'node:path/posix';
import * as history from '../src/containerfile/history.ts';
import { makesLayer } from '../src/containerfile/layer-kinds.ts';
import { exposedPorts } from '../src/containerfile/ports.ts';
import { withEnv } from '../src/containerfile/predefined.ts';
import { checkSignal } from '../src/containerfile/signals.ts';
import type {
  ArgInstruction,
  CommandInstruction,
  CommandLine,
  EnvInstruction,
  HealthcheckInstruction,
  Instruction,
  MaintainerInstruction,
  OnbuildInstruction,
  ShellInstruction,
  WordsInstruction,
} from '../src/containerfile/types.ts';
import { argValues, pairValues, visibleIn } from '../src/containerfile/variables.ts';
import { BuildError } from '../src/core/errors.ts';
import type { Emit } from '../src/core/events.ts';
import type { ContainerConfig, Snapshot } from '../src/core/types.ts';
import { LostLayer } from './remember.ts';
import { edited, expanded, type StageScope, type StageState, stepId, stepName } from './state.ts';
import { applyCopy } from './steps/apply-copy.ts';
import { applyRun } from './steps/apply-run.ts';
import { applyWorkdir } from './steps/apply-workdir.ts';
import { addKeys, healthcheckOf, settingsOf, withConfig, withHistory, withSettings } from './steps/config.ts';
import { reasonOf } from './steps/layer-step.ts';
import { shellOf } from './steps/shell.ts';

/** Applies one instruction: the stage's next state. */
export async function applyInstruction(
  instruction: Instruction,
  state: StageState,
  scope: StageScope,
): Promise<StageState> {
  if (!makesLayer(instruction)) return await apply(instruction, state, scope);
  return await asStep(instruction, { state, scope }, (own) => apply(instruction, state, own));
}

async function apply(instruction: Instruction, state: StageState, scope: StageScope): Promise<StageState> {
  switch (instruction.kind) {
    case 'run':
      return await applyRun(instruction, state, scope);
    case 'copy':
    case 'add':
      return await applyCopy(instruction, state, scope);
    case 'workdir':
      return await applyWorkdir(instruction as WordsInstruction, state, scope);
    case 'arg':
      return applyArg(instruction, state, scope);
    case 'env':
      return applyEnv(instruction, state, scope);
    case 'cmd':
      return { ...edited(state, (snapshot) => command(instruction, snapshot)), cmdSet: true };
    case 'entrypoint':
      return edited(state, (snapshot) =>
        command(instruction, state.cmdSet ? snapshot : withoutCmd(snapshot)),
      );
    default:
      return edited(state, (snapshot) =>
        setting(instruction, snapshot, (text) => expanded(text, state, scope)),
      );
  }
}

/**
 * A step that people see: what is noted in its scope, and time that goes by, say so. What fails before it was begun, for want
 * of what it reads, is told as a step that failed, too.
 */
async function asStep(
  instruction: Instruction,
  { state, scope }: { readonly state: StageState; readonly scope: StageScope },
  work: (scope: StageScope) => Promise<StageState>,
): Promise<StageState> {
  const { emit, signal } = scope.tools;
  const step = stepId(state.step + 1, scope);
  let begun = false;
  const tell: Emit = (event) => {
    begun ||= event.type === 'step-start';
    emit(event.type === 'note' || event.type === 'span' ? { step, ...event } : event);
  };
  try {
    return await work({ ...scope, tools: { ...scope.tools, emit: tell } });
  } catch (error) {
    if (!begun && !signal.aborted && !(error instanceof LostLayer)) {
      const name = `${stepName(state.step + 1, scope, state.args)} ${instruction.source}`;
      emit({ type: 'step-start', step, name, location: instruction.range });
      emit({ type: 'step-end', step, outcome: 'failed', ...reasonOf(error) });
    }
    throw error;
  }
}

type Setting =
  | EnvInstruction
  | HealthcheckInstruction
  | MaintainerInstruction
  | OnbuildInstruction
  | ShellInstruction
  | WordsInstruction;
type Expand = (text: string) => string;

/** Instructions that change the configuration alone. */
function setting(instruction: Setting, snapshot: Snapshot, expand: Expand): Snapshot {
  switch (instruction.kind) {
    case 'env':
    case 'label':
      return labels(instruction, snapshot, expand);
    case 'shell': {
      const line = history.shellHistory(instruction.args);
      return withHistory(withSettings(snapshot, { Shell: instruction.args }), line, true);
    }
    case 'healthcheck':
      return healthcheck(instruction, snapshot);
    case 'onbuild': {
      const triggers = [...(settingsOf(snapshot).OnBuild ?? []), instruction.trigger];
      return withSettings(snapshot, { OnBuild: triggers });
    }
    case 'maintainer': {
      const line = history.maintainerHistory(instruction.name);
      return withHistory(withConfig(snapshot, { author: instruction.name }), line, true);
    }
    default:
      return words(
        instruction,
        snapshot,
        instruction.words.map(({ text }) => expand(text)),
      );
  }
}

function words({ kind }: WordsInstruction, snapshot: Snapshot, values: readonly string[]): Snapshot {
  const settings = settingsOf(snapshot);
  const [first = ''] = values;
  switch (kind) {
    case 'expose': {
      const ports = exposedPorts(values);
      const edited = withSettings(snapshot, { ExposedPorts: addKeys(settings.ExposedPorts, ports) });
      return withHistory(edited, history.exposeHistory(ports), true);
    }
    case 'volume': {
      if (values.includes('')) throw new BuildError('parse', 'VOLUME specified can not be an empty string');
      const edited = withSettings(snapshot, { Volumes: addKeys(settings.Volumes, values) });
      return withHistory(edited, history.volumeHistory(values), true);
    }
    case 'stopsignal':
      checkSignal(first);
      return withHistory(
        withSettings(snapshot, { StopSignal: first }),
        history.stopsignalHistory(first),
        true,
      );
    case 'user':
      return withHistory(withSettings(snapshot, { User: first }), history.userHistory(first), true);
    case 'workdir':
      return withSettings(snapshot, { WorkingDir: resolve(settings.WorkingDir || '/', first) });
  }
}

function labels(instruction: EnvInstruction, snapshot: Snapshot, expand: Expand): Snapshot {
  const values = pairValues(instruction, ({ text }) => expand(text));
  const added = Object.fromEntries(values.map(({ name, value }) => [name, value]));
  const edited = withSettings(snapshot, { Labels: { ...settingsOf(snapshot).Labels, ...added } });
  return withHistory(edited, history.envHistory('label', values), true);
}

/** ENTRYPOINT resets a CMD that was not set in the same stage. */
function withoutCmd(snapshot: Snapshot): Snapshot {
  return withSettings(snapshot, { Cmd: undefined });
}

/** CMD and ENTRYPOINT. */
function command({ kind, command: line }: CommandInstruction, snapshot: Snapshot): Snapshot {
  const argv = argvOf(line, settingsOf(snapshot));
  const change: Partial<ContainerConfig> =
    kind === 'cmd' ? { Cmd: argv, ArgsEscaped: true } : { Entrypoint: argv };
  return withHistory(withSettings(snapshot, change), history.commandHistory(kind, argv), true);
}

/** The command in exec form: the shell form through the image's shell. */
function argvOf(line: CommandLine, { Shell }: ContainerConfig): readonly string[] {
  return line.form === 'exec' ? line.args : [...shellOf(Shell), line.text];
}

function healthcheck({ check }: HealthcheckInstruction, snapshot: Snapshot): Snapshot {
  const test = check === undefined ? ['NONE'] : testOf(check.command);
  const times = check ?? {};
  const { interval, timeout, startPeriod, startInterval, retries } = times as Partial<
    NonNullable<typeof check>
  >;
  const fields = {
    Interval: interval ?? 0,
    Timeout: timeout ?? 0,
    StartPeriod: startPeriod ?? 0,
    StartInterval: startInterval ?? 0,
    Retries: retries ?? 0,
  };
  const edited = withSettings(snapshot, { Healthcheck: healthcheckOf(test, fields) });
  return withHistory(edited, history.healthcheckHistory(test, check ?? {}), true);
}

function testOf(line: CommandLine): string[] {
  return line.form === 'exec' ? ['CMD', ...line.args] : ['CMD-SHELL', line.text];
}

function applyEnv(instruction: EnvInstruction, state: StageState, scope: StageScope): StageState {
  const values = pairValues(instruction, ({ text }) => expanded(text, state, scope));
  const vars = new Map([...state.vars, ...values.map(({ name, value }) => [name, value] as const)]);
  const line = history.envHistory(instruction.kind, values);
  const next = edited(state, (snapshot) => {
    const env = withEnv(settingsOf(snapshot).Env ?? [], values);
    return withHistory(withSettings(snapshot, { Env: env }), line, true);
  });
  return { ...next, vars };
}

function applyArg(instruction: ArgInstruction, state: StageState, scope: StageScope): StageState {
  const values = argValues<string>(instruction, {
    buildArgs: scope.tools.options.buildArgs,
    globalArgs: scope.graph.globalArgs,
    expand: ({ text }, before) => {
      const vars = new Map([...state.vars, ...visibleIn(before)]);
      return expanded(text, { ...state, vars }, scope);
    },
  });
  return {
    ...edited(state, (snapshot) => withHistory(snapshot, history.argHistory(values), true)),
    vars: new Map([...state.vars, ...visibleIn(values)]),
    args: [...new Set([...state.args, ...values.map(({ name }) => name)])],
  };
}
