import { expandWord } from '../src/containerfile/expand.ts';
import type { GraphStage, StageGraph } from '../src/containerfile/types.ts';
import type { Snapshot } from '../src/core/types.ts';
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
  return expandWord(text, Object.fromEntries(state.vars), { escape: scope.graph.escape });
}

/** `[builder 2/4]`: a step's place; the only stage of a file needs no name. */
export function stepName(
  number: number,
  { graph, graphStage, steps }: Pick<StageScope, 'graph' | 'graphStage' | 'steps'>,
): string {
  const { name, index } = graphStage.stage;
  const only = graph.stages.length === 1 && name === undefined;
  return `[${only ? '' : `${name ?? `stage-${index}`} `}${number}/${steps}]`;
}
