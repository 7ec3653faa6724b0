import { BuildError } from '../../core/errors.ts';
import type { Platform } from '../../core/types.ts';
import type { Analysis } from '../analyse.ts';
import { attempt } from '../attempt.ts';
import { filesOf, parseTrigger } from '../parse.ts';
import { type Reset, resetsOf } from '../reset.ts';
import { eachOnce, inFileOrder } from '../source-order.ts';
import type { GraphStage, Instruction, StageGraph, Warning } from '../types.ts';
import { warnOfUnusedBuildArgs } from './build-args.ts';
import type { CheckScope, IgnoreFacts, StageFacts } from './facts.ts';
import { checkFile } from './file-rules.ts';
import { Findings } from './findings.ts';
import { checkBasePlatform, checkFroms } from './from-rules.ts';
import { Scope } from './scope.ts';
import { settingsFor } from './settings.ts';
import { readInstruction } from './stage.ts';

/** What a base image brings to the stages that start from it. */
export interface BaseFacts {
  readonly env: readonly string[];
  readonly shell?: readonly string[];
  readonly platform: Platform;
  /** Its ONBUILD triggers. */
  readonly triggers: readonly string[];
}

export interface CheckOptions {
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Variables that every stage begins with. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The name of the target, where one was asked for. */
  readonly target?: string;
  /** Undefined for an image that is not at hand: nothing is then told that it might change. */
  readonly base: (stage: GraphStage) => BaseFacts | undefined;
  /** Absent where no ignore file counts. */
  readonly ignore?: IgnoreFacts;
  /** Fails with BuildError for a text that names no image. */
  readonly checkReference: (text: string) => void;
  /** Fails with BuildError for what `--chmod` does not take. */
  readonly checkMode: (text: string) => void;
}

/** All that can be said of a file without building it, in its order. */
export interface Checked {
  readonly warnings: readonly Warning[];
  /** What a build would fail with, those of the analysis among them; with `error=true` also that there are warnings. */
  readonly errors: readonly BuildError[];
  /** What was read of the stages, by their index in the file; those of the first platform. */
  readonly stages: ReadonlyMap<number, StageFacts>;
}

/**
 * Reads a file as a build would, without building: the rules of the reference and our own (§12), as its settings and
 * comments allow, and the errors that only the values of variables show. Stages are those of the graph; the rules about
 * how a file is written see all of it.
 */
export function check({ containerfile, graphs, errors: known }: Analysis, options: CheckOptions): Checked {
  const errorsInSettings: BuildError[] = [];
  const { check: own } = containerfile;
  const given = attempt(errorsInSettings, () => settingsFor(own, options.buildArgs));
  const findings = new Findings(given ?? settingsFor(own, {}));
  findings.errors.push(...errorsInSettings);
  checkFile(containerfile, findings);
  warnOfUnusedBuildArgs(containerfile, options.buildArgs, findings);
  const stages = new Map<number, StageFacts>();
  for (const graph of graphs) {
    const isReference = (text: string): boolean => succeeds(() => options.checkReference(text));
    checkFroms(graph, { ...options, isReference, findings });
    for (const [index, facts] of stagesOf(graph, { ...options, findings })) {
      if (!stages.has(index)) stages.set(index, facts);
    }
  }
  const violation = findings.violation();
  const files = filesOf(containerfile);
  const ofGraphs = eachOnce(graphs.flatMap((graph) => graph.warnings));
  const errors = inFileOrder([...known, ...eachOnce(findings.errors)], files);
  return {
    warnings: inFileOrder([...containerfile.warnings, ...ofGraphs, ...findings.warnings], files),
    errors: violation === undefined ? errors : [...errors, violation],
    stages,
  };
}

interface Reader extends CheckOptions {
  readonly findings: Findings;
}

/** What is read of the stages of one platform. */
function stagesOf(graph: StageGraph, reader: Reader): Map<number, StageFacts> {
  const stages = new Map<number, StageFacts>();
  const scope: CheckScope = {
    ...reader,
    globalArgs: graph.globalArgs,
    escape: graph.containerfile.escape,
    errexit: graph.containerfile.extensions.has('errexit-heredocs'),
  };
  for (const graphStage of graph.stages) {
    const { stage, base } = graphStage;
    const parent = base.kind === 'stage' ? stages.get(base.index) : undefined;
    stages.set(stage.index, readStage(graphStage, scope, { ...reader, parent }));
  }
  return stages;
}

function readStage(
  graphStage: GraphStage,
  check: CheckScope,
  { parent, ...reader }: Reader & { readonly parent: StageFacts | undefined },
): StageFacts {
  const { stage, base, platform } = graphStage;
  const { from } = stage;
  const image = base.kind === 'image' ? reader.base(graphStage) : undefined;
  if (image !== undefined) {
    checkBasePlatform(from, { expected: platform, actual: image.platform }, reader.findings);
  }
  if (base.kind === 'image' && !from.broken && !isUnread(base.reference)) {
    reader.findings.attempt(from.image.range, () => reader.checkReference(base.reference));
  }
  const facts = factsAbove(parent, base.kind === 'scratch' ? [] : image?.env, {
    shell: image?.shell,
    resets: from.reset === undefined || from.broken ? [] : resetsOf(from.reset),
  });
  for (const [name, value] of Object.entries(reader.env ?? {})) facts.scope.set(name, value);
  const reading = { scope: facts.scope, findings: reader.findings, escape: check.escape };
  const triggers = parent === undefined ? (image?.triggers ?? []) : parent.triggers;
  for (const trigger of triggers) {
    const there = { ...reading, comments: from.comments, place: from.range };
    const instruction = reader.findings.attempt(from.range, () => parseTrigger(trigger, check.escape));
    if (instruction !== undefined) readInstruction(instruction, { reading: there, facts, check });
  }
  for (const instruction of stage.instructions) {
    readInstruction(instruction, { reading: { ...reading, comments: instruction.comments }, facts, check });
    if (instruction.kind === 'onbuild') facts.triggers.push(instruction.trigger);
  }
  return facts;
}

/** A name as it is written: what it comes to could not be told, for a reason that is told. */
function isUnread(reference: string): boolean {
  return /["'$\\]/.test(reference);
}

/** Where a stage begins: what its base stage or image left. */
function factsAbove(
  parent: StageFacts | undefined,
  env: readonly string[] | undefined,
  { shell, resets }: { readonly shell: readonly string[] | undefined; readonly resets: readonly Reset[] },
): StageFacts {
  const scope = parent === undefined ? Scope.above(env) : parent.scope.copy();
  const gone = resets.filter(({ kind }) => kind === 'env').map(({ name }) => name);
  return {
    scope: gone.length === 0 ? scope : scope.without(gone),
    shell: parent === undefined ? shell : parent.shell,
    workdirSet: parent?.workdirSet ?? false,
    last: new Map<Instruction['kind'], Instruction>(),
    args: [],
    mounts: [],
    triggers: [],
  };
}

function succeeds(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof BuildError) return false;
    throw error;
  }
}
