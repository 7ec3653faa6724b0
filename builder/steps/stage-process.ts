import { PROXY_ARGS } from '../../src/containerfile/predefined.ts';
import type { Instruction } from '../../src/containerfile/types.ts';
import type { Place } from '../../src/core/place.ts';
import type { Recording } from '../sandbox/ownership/recording.ts';
import { type StageScope, type StageState, stepId, stepName } from '../state.ts';
import { settingsOf } from './config.ts';
import { isMadeAgain } from './layer-step.ts';
import type { RunInput } from './run-input.ts';
import { shellOf } from './shell.ts';

/**
 * What any process would see that is started where the stage stands, before `instruction`: no command of its own yet, and
 * no mounts.
 */
export async function stageProcess(
  instruction: Instruction,
  state: StageState,
  scope: StageScope,
): Promise<RunInput> {
  const { config } = state.candidates[0]!.snapshot;
  const settings = settingsOf(state.candidates[0]!.snapshot);
  const { options, place } = scope.tools;
  const hidden = hiddenProxies(state, options.buildArgs);
  return {
    command: { args: [], files: [] },
    env: new Map([...state.vars].filter(([name]) => !hidden.has(name))),
    hiddenEnv: hidden,
    workdir: settings.WorkingDir || '/',
    user: settings.User ?? '',
    network: options.network,
    insecure: false,
    mounts: [],
    platform: scope.graphStage.platform,
    machine: config,
    step: stepId(state.step + 1, scope),
    shown: { name: stepName(state.step + 1, scope, state.args), location: instruction.range },
    shell: shellOf(settings.Shell),
    hostname: options.buildArgs.BUILDKIT_SANDBOX_HOSTNAME ?? 'buildkitsandbox',
    recording: await recordingAt(place),
    freshMounts: isMadeAgain(scope),
  };
}

/** Tried only where ids are not real. */
async function recordingAt({ isolation }: Place): Promise<Recording> {
  if (isolation !== 'single') return 'all';
  const { recordingHere } = await import('../sandbox/ownership/probe.ts');
  return (await recordingHere()).recording;
}

/** Proxies given as build args that no ARG declares: seen by the process, in both cases, and by nothing else. */
function hiddenProxies(state: StageState, buildArgs: Readonly<Record<string, string>>): Map<string, string> {
  const given = PROXY_ARGS.flatMap((name) => {
    const value = buildArgs[name] ?? buildArgs[name.toUpperCase()] ?? buildArgs[name.toLowerCase()];
    return value === undefined || state.args.includes(name) ? [] : [[name, value] as const];
  });
  return new Map(given);
}
