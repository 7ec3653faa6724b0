import { resolve } from 'node:path/posix';
import { runHistory } from '../../src/containerfile/history.ts';
import { type MountRequest, mountOf } from '../../src/containerfile/mount.ts';
import { PROXY_ARGS } from '../../src/containerfile/predefined.ts';
import type { MountFlag, RunInstruction } from '../../src/containerfile/types.ts';
import { BuildError } from '../../src/core/errors.ts';
import { type StageScope, type StageState, stepId } from '../state.ts';
import { settingsOf } from './config.ts';
import { selectFiles } from './copy.ts';
import { applyLayerStep, isMadeAgain } from './layer-step.ts';
import { type RunInput, recallableRun } from './run.ts';
import { commandOf } from './run-command.ts';
import { LAID_OUT, type MountSource, type RunMount } from './run-mounts.ts';
import { shellOf } from './shell.ts';
import { sourceOf, withSources } from './source.ts';
import { logFile } from './step-log.ts';

/** RUN: expands what may be expanded, then recalls or runs the step. */
export async function applyRun(
  instruction: RunInstruction,
  state: StageState,
  scope: StageScope,
): Promise<StageState> {
  return await withSources(async (wanted) => {
    const { input, history } = await inputOf(instruction, state, { ...scope, wanted });
    return await applyLayerStep(instruction, state, scope, {
      ...recallableRun(input, scope.tools),
      history,
      log: logFile(scope.tools.logs, input.step),
    });
  });
}

/** The scope of one attempt: whether stages that are mounted must be readable. */
interface Attempt extends StageScope {
  readonly wanted: boolean;
}

async function inputOf(
  instruction: RunInstruction,
  state: StageState,
  scope: Attempt,
): Promise<{ input: RunInput; history: string }> {
  const settings = settingsOf(state.candidates[0]!.snapshot);
  const { options } = scope.tools;
  const workdir = settings.WorkingDir || '/';
  const command = commandOf(instruction.command, shellOf(settings.Shell));
  const hidden = hiddenProxies(state, options.buildArgs);
  const input: RunInput = {
    command,
    env: new Map([...state.vars].filter(([name]) => !hidden.has(name))),
    hiddenEnv: hidden,
    workdir,
    user: settings.User ?? '',
    network: networkOf(instruction, options.network),
    insecure: instruction.security === 'insecure',
    mounts: await Promise.all(instruction.mounts.map((flag) => runMount(flag, workdir, state, scope))),
    platform: scope.graphStage.platform,
    machine: state.machine,
    step: stepId(state.step + 1, scope),
    hostname: options.buildArgs.BUILDKIT_SANDBOX_HOSTNAME ?? 'buildkitsandbox',
    freshMounts: isMadeAgain(scope),
  };
  const args = state.args.map((name) => ({ name, value: state.vars.get(name) ?? '' }));
  return { input, history: runHistory(args, command.args) };
}

/** Proxies given as build args that no ARG declares: seen by the process, in both cases, and by nothing else. */
function hiddenProxies(state: StageState, buildArgs: Readonly<Record<string, string>>): Map<string, string> {
  const given = PROXY_ARGS.flatMap((name) => {
    const value = buildArgs[name] ?? buildArgs[name.toUpperCase()] ?? buildArgs[name.toLowerCase()];
    return value === undefined || state.args.includes(name) ? [] : [[name, value] as const];
  });
  return new Map(given);
}

function networkOf({ network }: RunInstruction, byDefault: 'host' | 'none'): 'host' | 'none' {
  return network === undefined || network === 'default' ? byDefault : network;
}

async function runMount(
  flag: MountFlag,
  workdir: string,
  state: StageState,
  scope: Attempt,
): Promise<RunMount> {
  const request = mountOf(flag, Object.fromEntries(state.vars), { escape: scope.graph.escape });
  if (request.type === 'tmpfs') return { ...request, target: resolve(workdir, request.target) };
  if (request.type === 'secret') {
    const { target, ...rest } = request;
    return target === undefined ? rest : { ...rest, target: resolve(workdir, target) };
  }
  const target = resolve(workdir, request.target);
  if (target === '/') throw new BuildError('parse', 'a mount cannot hide the whole root: its target is "/"');
  if (request.type === 'bind') {
    return { type: 'bind', target, writable: !request.readonly, source: await mountSource(request, scope) };
  }
  const { from, source, ...rest } = request;
  if (from === undefined) return { ...rest, target };
  return { ...rest, target, source: await mountSource({ from, source }, scope) };
}

type SourceRequest = Pick<Extract<MountRequest, { type: 'bind' }>, 'source'> & { readonly from?: string };

/** The files that a mount shows: as COPY would select them, to one name. */
async function mountSource({ from, source }: SourceRequest, scope: Attempt): Promise<MountSource> {
  const files = await sourceOf(from, scope, scope.wanted);
  const reads = await selectFiles(
    { kind: 'copy', sources: [source], heredocs: [], destination: `/${LAID_OUT}`, workdir: '/', link: true },
    files,
    scope.tools,
  );
  return { reads, path: source, ...(files.kind === 'snapshot' && { snapshot: files.snapshot }) };
}
