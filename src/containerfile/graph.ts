import { BuildError } from '../core/errors.ts';
import { normalizePlatform } from '../core/platform.ts';
import type { Platform } from '../core/types.ts';
import { contextName, unusedContexts } from './context-names.ts';
import { globalArgsOf } from './global-args.ts';
import { parseTrigger } from './parse.ts';
import { isPredefinedArg } from './predefined.ts';
import { resolveFrom } from './stage-base.ts';
import { stageOf } from './stage-names.ts';
import { suggestion } from './statement.ts';
import type {
  Containerfile,
  GraphStage,
  Instruction,
  Stage,
  StageBase,
  StageGraph,
  Warning,
  Word,
} from './types.ts';

export interface GraphOptions {
  /** A stage's name; the last stage where it is not given. */
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** What is built for. */
  readonly platform: Platform;
  /** What the build runs on; the same as `platform` unless said. */
  readonly buildPlatform?: Platform;
  /** Names of `--build-context`: they are never stages, and stay as image references for the caller to replace. A stage of such a name is replaced too. */
  readonly contexts?: Iterable<string>;
  /**
   * ONBUILD triggers of base images that are known by now, by the index of the stage that starts from them: what they
   * copy from is needed too. Triggers of stages are known from the file.
   */
  readonly triggers?: ReadonlyMap<number, readonly string[]>;
}

/**
 * The stages that the target needs, with their bases expanded and their platforms known (§1.5, §1.6). `needs` also
 * holds what ONBUILD triggers of a parent stage copy from. Fails with `parse`, located, for an unknown target, a
 * reference to a stage that comes later, a circle, a blank base name, a malformed platform. Its warnings are its own
 * (names in FROM that nothing declares, build args that no ARG takes); those of the file are not repeated.
 */
export function graphOf(containerfile: Containerfile, given: GraphOptions): StageGraph {
  const options = normalized(given);
  const target = targetOf(containerfile, options.target);
  const warnings: Warning[] = [];
  const globalArgs = globalArgsOf(containerfile, { ...options, warnings });
  const plan = {
    containerfile,
    options,
    globalArgs,
    warnings,
    contexts: contextNames(options),
    done: new Map<number, GraphStage>(),
  };
  visit(plan, target);
  warnings.push(...unusedBuildArgs(containerfile, options.buildArgs));
  warnings.push(...unusedContexts(containerfile, plan.done.values(), plan.contexts));
  const stages = [...plan.done.values()].sort((a, b) => a.stage.index - b.stage.index);
  return {
    stages,
    containerfile,
    target,
    globalArgs,
    escape: containerfile.escape,
    warnings,
    withTriggers(stage, triggers) {
      const all = new Map([...(given.triggers ?? []), [stage, triggers] as const]);
      return graphOf(containerfile, { ...given, triggers: all });
    },
  };
}

function normalized(options: GraphOptions): GraphOptions {
  const platform = normalizePlatform(options.platform);
  return { ...options, platform, buildPlatform: normalizePlatform(options.buildPlatform ?? platform) };
}

interface Plan {
  readonly containerfile: Containerfile;
  readonly options: GraphOptions;
  readonly globalArgs: Readonly<Record<string, string>>;
  readonly warnings: Warning[];
  readonly contexts: ReadonlySet<string>;
  readonly done: Map<number, GraphStage>;
}

function contextNames(options: GraphOptions): Set<string> {
  return new Set([...(options.contexts ?? [])].map(contextName));
}

function targetOf({ stages }: Containerfile, target: string | undefined): number {
  if (target === undefined || target === '') return stages.length - 1;
  const named = stages.filter(({ name }) => name === target.toLowerCase()).at(-1);
  if (named !== undefined) return named.index;
  const names = stages.flatMap(({ name }) => name ?? []);
  const all = names.length === 0 ? 'No stage has a name: FROM image AS name gives it one.' : undefined;
  throw new BuildError('parse', `target stage "${target}" could not be found`, {
    hint: suggestion(target, names) ?? all ?? `There are: ${names.join(', ')}.`,
  });
}

/** Adds a stage and, before it, all it needs: stages above it, so that this ends. */
function visit(plan: Plan, index: number): GraphStage {
  const known = plan.done.get(index);
  if (known !== undefined) return known;
  const stage = unlessReplaced(plan.containerfile.stages[index]!, plan.contexts);
  const from = resolveFrom(stage, plan);
  const parent = from.base.kind === 'stage' ? visit(plan, from.base.index) : undefined;
  const needs = neededStages(plan, stage, from.base);
  for (const { other, word } of needs) {
    checkOrder(plan, stage, { other, word });
    visit(plan, other);
  }
  const indexes = needs.map(({ other }) => other);
  const all = new Set(from.base.kind === 'stage' ? [from.base.index, ...indexes] : indexes);
  const platform = from.platform ?? parent?.platform ?? plan.options.platform;
  const done = { stage, base: from.base, platform, needs: [...all].sort((a, b) => a - b) };
  plan.done.set(index, done);
  return done;
}

/** A stage whose name is a named context's is that context: it starts from it, and nothing is done on top. */
function unlessReplaced(stage: Stage, contexts: ReadonlySet<string>): Stage {
  const { name, from } = stage;
  if (name === undefined || !contexts.has(contextName(name))) return stage;
  return { ...stage, from: { ...from, image: { ...from.image, text: name } }, instructions: [] };
}

interface Reference {
  readonly other: number;
  readonly word: Word;
}

/** Stages that the stage copies from or mounts, by its own instructions and by its parent's triggers. */
function neededStages(plan: Plan, stage: Stage, base: StageBase): Reference[] {
  const own = stage.instructions.flatMap(sourcesOf);
  const triggered = triggersFor(plan, stage, base).flatMap((trigger) => {
    const sources = sourcesOf(parseTrigger(trigger, plan.containerfile.escape));
    return sources.map(({ text }) => ({ text, range: stage.from.range }));
  });
  return [...own, ...triggered].flatMap((word) => {
    const other = stageOf(plan.containerfile.stages, word, plan.contexts);
    return other === undefined ? [] : [{ other, word }];
  });
}

function triggersFor(plan: Plan, stage: Stage, base: StageBase): readonly string[] {
  if (base.kind !== 'stage') return plan.options.triggers?.get(stage.index) ?? [];
  const { instructions } = plan.containerfile.stages[base.index]!;
  return instructions.flatMap((one) => (one.kind === 'onbuild' ? [one.trigger] : []));
}

/** Values of `--from` and `--mount=…,from=`. */
function sourcesOf(instruction: Instruction): Word[] {
  if (instruction.kind === 'copy') return instruction.from === undefined ? [] : [instruction.from];
  if (instruction.kind !== 'run') return [];
  return instruction.mounts.flatMap(({ options, word }) => {
    const from = options.find(({ key }) => key === 'from')?.value;
    return from ? [{ text: from, range: word.range }] : [];
  });
}

/** A stage can use earlier ones only; one that comes back to itself is a circle. */
function checkOrder(plan: Plan, stage: Stage, { other, word }: Reference): void {
  if (other < stage.index) return;
  const label = (index: number): string => plan.containerfile.stages[index]!.name ?? String(index);
  if (reaches(plan, other, stage.index)) {
    throw new BuildError('parse', `circular dependency detected on stage: ${label(stage.index)}`, {
      location: word.range,
      hint: `${label(other)} needs ${label(stage.index)} itself: take one of the two references away.`,
    });
  }
  const message = `cannot copy from stage "${label(other)}", it needs to be defined before current stage "${label(stage.index)}"`;
  throw new BuildError('parse', message, {
    location: word.range,
    hint: `Move the stage ${label(other)} above this one.`,
  });
}

/** Whether a stage needs another, by way of any others. */
function reaches(plan: Plan, from: number, to: number): boolean {
  const seen = new Set<number>([from]);
  for (const index of seen) {
    if (index === to) return true;
    const stage = plan.containerfile.stages[index]!;
    const { base } = resolveFrom(stage, { ...plan, warnings: [] });
    if (base.kind === 'stage') seen.add(base.index);
    for (const { other } of neededStages(plan, stage, base)) seen.add(other);
  }
  return false;
}

/** Build args that no ARG of the file takes and that mean nothing by themselves. */
function unusedBuildArgs(
  { stages, globals }: Containerfile,
  buildArgs: Readonly<Record<string, string>>,
): Warning[] {
  const instructions = [...globals, ...stages.flatMap((stage) => [...stage.instructions])];
  const declared = instructions.flatMap((one) =>
    one.kind === 'arg' ? one.args.map(({ name }) => name) : [],
  );
  const location = (globals[0] ?? stages[0]!.from).range;
  return Object.keys(buildArgs)
    .filter((name) => !declared.includes(name) && !isPredefinedArg(name))
    .map((name) => ({
      text: `build arg ${name} is not used: no ARG declares it`,
      location,
      hint: suggestion(name, declared) ?? `Add ARG ${name} where it is wanted.`,
    }));
}
