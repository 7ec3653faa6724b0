import { expandWord } from '../src/containerfile/expand.ts';
import type { Env, GraphStage, Instruction, StageGraph } from '../src/containerfile/types.ts';
import type { StepBase } from '../src/core/ingredients.ts';
import { formatPlatform } from '../src/core/platform.ts';
import { makesIndex } from '../src/core/target-platforms.ts';
import type { Platform, Snapshot } from '../src/core/types.ts';
import type { Candidate } from './remember.ts';
import type { Tools } from './tools.ts';

/** A finished stage: what another stage, or the output, takes from it. */
export interface BuiltStage {
  readonly snapshot: Snapshot;
  readonly state: StageState;
}

/** Where a stage finds the others. */
export interface StageSources {
  built(index: number, obtainable: boolean): Promise<BuiltStage>;
  /** Takes note of a base image's ONBUILD triggers: what they copy from may be a stage that nothing else needs. */
  learn(index: number, triggers: readonly string[]): void;
  /** The index of the stage that a `--from` names, or undefined when it names an image. */
  find(name: string): number | undefined;
}

/** What a stage carries from one instruction to the next; never changed in place. */
export interface StageState {
  /** The ways this stage may have gone, the preferred first; their configurations are equal. */
  readonly candidates: readonly Candidate[];
  /** ARG and ENV values in the order they came: what words expand to and what RUN sees. */
  readonly vars: ReadonlyMap<string, string>;
  /** Names of the ARGs declared so far. */
  readonly args: readonly string[];
  /** CMD was set in this very stage, so ENTRYPOINT leaves it. */
  readonly cmdSet: boolean;
  /** Steps shown so far. */
  readonly step: number;
  /** The image from outside that it stands on. */
  readonly base?: StepBase;
  /** The steps that made the layers on top of that, as people see them. */
  readonly made: readonly string[];
  /** Lines of history that came with an image from outside. */
  readonly inherited: number;
  readonly inheritedCreated: string | undefined;
}

/** Everything of a stage that stays the same while its instructions are applied. */
export interface StageScope {
  readonly graph: StageGraph;
  readonly graphStage: GraphStage;
  readonly stages: StageSources;
  readonly obtainable: boolean;
  /** All that the stage does, triggers of its base included. */
  readonly instructions: readonly Instruction[];
  /** Steps of this stage that people see. */
  readonly steps: number;
  readonly tools: Tools;
}

/** The same edit on every way the stage may have gone. */
export function edited(state: StageState, edit: (snapshot: Snapshot) => Snapshot): StageState {
  const candidates = state.candidates.map((candidate) => ({
    ...candidate,
    snapshot: edit(candidate.snapshot),
  }));
  return { ...state, candidates };
}

/** A word's value where the stage stands. */
export function expanded(text: string, state: StageState, scope: StageScope): string {
  const env = text.includes('$') ? envOf(state.vars) : {};
  return expandWord(text, env, { escape: scope.graph.containerfile.escape });
}

const envs = new WeakMap<ReadonlyMap<string, string>, Env>();

/** The variables as words expand them; made once for all words of an instruction. */
export function envOf(vars: ReadonlyMap<string, string>): Env {
  const known = envs.get(vars);
  if (known !== undefined) return known;
  const env = Object.fromEntries(vars);
  envs.set(vars, env);
  return env;
}

type StepPlace = Pick<StageScope, 'graph' | 'graphStage' | 'steps' | 'tools'>;

/**
 * `[builder 2/4]`: a step's place; the only stage of a file needs no name. Where anything is for another machine, the
 * stage's platform comes first; a stage that declares an ARG about the target also says that (`linux/amd64->arm64`).
 */
export function stepName(number: number, place: StepPlace, args: readonly string[]): string {
  const { graph, graphStage, steps } = place;
  const { name, index } = graphStage.stage;
  const only = graph.stages.length === 1 && name === undefined;
  const stage = only ? [] : [name ?? `stage-${index}`];
  const platform = isCross(place) ? [platformName(place, args)] : [];
  return `[${[...platform, ...stage, `${number}/${steps}`].join(' ')}]`;
}

/** A step as events name it: unique within the build. */
export function stepId(number: number, { graph, graphStage, tools }: StepPlace): string {
  return `${stageId(graphStage.stage.index, graph.platform, tools.options)}/${number}`;
}

/** A stage as the ids of its steps begin. */
export function stageId(index: number, platform: Platform, options: Tools['options']): string {
  return makesIndex(options) ? `${formatPlatform(platform)}/${index}` : String(index);
}

function isCross({ graph, graphStage, tools }: StepPlace): boolean {
  const own = formatPlatform(graph.buildPlatform);
  return makesIndex(tools.options) || [graph, graphStage].some((one) => formatPlatform(one.platform) !== own);
}

const TARGET_ARGS = ['TARGETPLATFORM', 'TARGETOS', 'TARGETARCH', 'TARGETVARIANT'];

function platformName({ graph, graphStage }: StepPlace, args: readonly string[]): string {
  const { platform: target } = graph;
  const { os, architecture } = graphStage.platform;
  const own = formatPlatform(graphStage.platform);
  if (!args.some((name) => TARGET_ARGS.includes(name))) return own;
  if (target.os !== os) return `${own}->${formatPlatform(target)}`;
  return target.architecture === architecture
    ? own
    : `${own}->${formatPlatform(target).replace(/^[^/]*\//, '')}`;
}
