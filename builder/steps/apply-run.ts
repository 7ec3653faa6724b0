import { resolve } from 'node:path/posix';
import { beginningOf } from '../../src/containerfile/heredoc.ts';
import { runHistory } from '../../src/containerfile/history.ts';
import { mountOf } from '../../src/containerfile/mount.ts';
import { type MountRequest, wrongTarget } from '../../src/containerfile/mount-request.ts';
import type { MountFlag, RunInstruction } from '../../src/containerfile/types.ts';
import type { StepFacts } from '../../src/core/ingredients.ts';
import type { Network } from '../../src/core/options.ts';
import { checkEntitled } from '../entitlements.ts';
import { envOf, type StageScope, type StageState } from '../state.ts';
import type { Tools } from '../tools.ts';
import { settingsOf } from './config.ts';
import { selectFiles } from './copy.ts';
import { applyLayerStep } from './layer-step.ts';
import { recallableRun } from './run.ts';
import { commandOf, strictShell } from './run-command.ts';
import type { RunInput } from './run-input.ts';
import { type MountSource, type RunMount, sourceOfMount } from './run-mounts.ts';
import { LAID_OUT } from './run-sources.ts';
import { sourceOf, withSources } from './source.ts';
import { stageProcess } from './stage-process.ts';
import { logFile } from './step-log.ts';

/** RUN: expands what may be expanded, then recalls or runs the step. */
export async function applyRun(
  instruction: RunInstruction,
  state: StageState,
  scope: StageScope,
): Promise<StageState> {
  checkEntitled(instruction, scope.tools.options);
  return await withSources(async (wanted) => {
    const { input, history } = await inputOf(instruction, state, { ...scope, wanted });
    noteCacheMounts(input, scope.tools);
    return await applyLayerStep(instruction, state, scope, {
      ...recallableRun(input, scope.tools),
      history,
      shown: shownSource(instruction, input.mounts),
      facts: factsOf(instruction, input, state),
      log: logFile(scope.tools.logs, input.step),
    });
  });
}

function factsOf({ command }: RunInstruction, input: RunInput, state: StageState): StepFacts {
  const { args } = input.command;
  const set = new Set((settingsOf(state.candidates[0]!.snapshot).Env ?? []).map(nameIn));
  const from = input.mounts.flatMap((mount) => {
    const source = sourceOfMount(mount);
    return source === undefined ? [] : [source.from];
  });
  return {
    args: state.args.filter((name) => !set.has(name)),
    ...(command.form === 'shell' && { shell: args.slice(0, -1) }),
    ...(from.length > 0 && { from }),
  };
}

function nameIn(variable: string): string {
  return variable.slice(0, variable.indexOf('='));
}

/** Known by their ids alone, even of a step that need not run; those that begin as copies are noted as they are held. */
function noteCacheMounts({ mounts }: RunInput, { cacheMounts }: Tools): void {
  for (const mount of mounts) {
    if (mount.type === 'cache' && mount.source === undefined) cacheMounts.add(mount.id);
  }
}

/** The scope of one attempt: whether stages that are mounted must be readable. */
interface Attempt extends StageScope {
  readonly wanted: boolean;
}

/** What the RUN would see on top of `state`, for whoever looks around before it is run. */
export async function runInputOf(
  instruction: RunInstruction,
  state: StageState,
  scope: StageScope,
): Promise<RunInput> {
  return await withSources(async (wanted) => (await inputOf(instruction, state, { ...scope, wanted })).input);
}

async function inputOf(
  instruction: RunInstruction,
  state: StageState,
  scope: Attempt,
): Promise<{ input: RunInput; history: string }> {
  const seen = await stageProcess(instruction, state, scope);
  const { workdir, shell } = seen;
  const strict = scope.graph.containerfile.extensions.has('errexit-heredocs');
  const mounts = await runMounts(instruction.mounts, workdir, { state, scope });
  const input: RunInput = {
    ...seen,
    command: commandOf(instruction.command, strict ? strictShell(instruction.command, shell) : shell),
    env: new Map([...agentEnv(mounts), ...seen.env]),
    network: networkOf(instruction, seen.network),
    insecure: instruction.security === 'insecure',
    mounts,
    shown: { ...seen.shown, name: `${seen.shown.name} ${shownSource(instruction, mounts)}` },
  };
  const args = state.args.map((name) => ({ name, value: state.vars.get(name) ?? '' }));
  return { input, history: runHistory(args, commandOf(instruction.command, shell).args) };
}

/** The first agent is the one that ssh asks, unless the file says otherwise; whether it is there changes nothing. */
function agentEnv(mounts: readonly RunMount[]): [string, string][] {
  const first = mounts.find((mount) => mount.type === 'ssh');
  return first?.target === undefined ? [] : [['SSH_AUTH_SOCK', first.target]];
}

/** What people see of the step: its heredoc by how it begins, stars where the value of a secret would stand. */
function shownSource({ source, command }: RunInstruction, mounts: readonly RunMount[]): string {
  const names = mounts.flatMap((mount) => (mount.type === 'secret' ? (mount.env ?? []) : []));
  return names.reduce(
    (text, name) =>
      text.replaceAll(/\$(?:(\w+)|\{(\w+)[^}]*\})/g, (use, plain?: string, braced?: string) =>
        (plain ?? braced) === name ? '****' : use,
      ),
    source + beginningOf(command),
  );
}

function networkOf({ network }: RunInstruction, byDefault: Network): Network {
  return network === undefined || network === 'default' ? byDefault : network;
}

interface StageNow {
  readonly state: StageState;
  readonly scope: Attempt;
}

async function runMounts(
  flags: readonly MountFlag[],
  workdir: string,
  { state, scope }: StageNow,
): Promise<RunMount[]> {
  const volumes = scope.tools.options.volumes ?? [];
  // The file's own mounts come after them, and count where both have one target.
  const mounts: RunMount[] = volumes.map((volume) => ({ type: 'volume', ...volume }));
  for (const flag of flags) {
    const request = mountOf(flag, envOf(state.vars), { escape: scope.graph.containerfile.escape });
    const agents = mounts.filter(({ type }) => type === 'ssh').length;
    const byDefault = request.type === 'ssh' ? `/run/buildkit/ssh_agent.${agents}` : undefined;
    const written = request.target ?? byDefault;
    const target = written === undefined ? undefined : resolve(workdir, written);
    if (target === '/') throw wrongTarget(written!);
    mounts.push(await runMount(request, target, scope));
  }
  return mounts;
}

/** A mount whose target is absolute; only a secret may have none. */
async function runMount(
  request: MountRequest,
  target: string | undefined,
  scope: Attempt,
): Promise<RunMount> {
  if (request.type === 'secret') return target === undefined ? request : { ...request, target };
  const placed = { target: target! };
  if (request.type === 'tmpfs' || request.type === 'ssh') return { ...request, ...placed };
  if (request.type === 'bind') {
    const source = await mountSource(request, scope);
    return { type: 'bind', ...placed, writable: !request.readonly, source };
  }
  const { from, source, ...rest } = request;
  const namespace = scope.tools.options.buildArgs.BUILDKIT_CACHE_MOUNT_NS;
  const cache = { ...rest, ...placed, id: namespace ? `${namespace}/${rest.id}` : rest.id };
  return from === undefined ? cache : { ...cache, source: await mountSource({ from, source }, scope) };
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
  const snapshot = files.kind === 'snapshot' ? { snapshot: files.snapshot } : {};
  return { reads, path: source, ...(from !== undefined && { from }), ...snapshot };
}
