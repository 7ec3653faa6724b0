import { BuildError } from '../core/errors.ts';
import type { Platform } from '../core/types.ts';
import { attempt } from './attempt.ts';
import { unlessReplaced } from './context-names.ts';
import { MAX_ERRORS } from './reading.ts';
import { type FromScope, resolveFrom } from './stage-base.ts';
import { circlesOf } from './stage-circles.ts';
import { type StageNames, stageNames, stageOf } from './stage-names.ts';
import { sourcesOfStage, sourcesOfTriggers, triggersOfStage } from './stage-references.ts';
import type { Stage, StageBase, Word } from './types.ts';

/** A stage and the stages above that it needs. */
export interface Link {
  readonly stage: Stage;
  readonly base: StageBase;
  readonly platform?: Platform;
  /** Ascending. */
  readonly needs: readonly number[];
}

export interface LinkOptions {
  readonly target: number;
  readonly every: boolean;
  readonly triggers?: ReadonlyMap<number, readonly string[]>;
}

type Scope = Omit<FromScope, 'names'> & { readonly errors: BuildError[] };

/**
 * The stages that the target needs, or every one, in file order. A stage needs stages above it only: from the last one
 * up, each is known to be needed before it is looked at. Errors are collected in the scope.
 */
export function linksOf(given: Scope, options: LinkOptions): Link[] {
  const { stages } = given.containerfile;
  const scope = { ...given, names: stageNames(stages) };
  const plan = { scope, options, triggered: new Map<number, readonly Word[]>(), circles: undefined };
  const wanted = new Set(options.every ? stages.keys() : [options.target]);
  const links: Link[] = [];
  for (let index = stages.length - 1; index >= 0; index--) {
    if (!wanted.has(index) || scope.errors.length >= MAX_ERRORS) continue;
    const link = linkOf(plan, unlessReplaced(stages[index]!, scope.contexts));
    for (const need of link.needs) wanted.add(need);
    links.push(link);
  }
  return links.reverse();
}

interface Plan {
  readonly scope: Scope & { readonly names: StageNames };
  readonly options: LinkOptions;
  /** What the triggers of a stage copy from, by the stage's index. */
  readonly triggered: Map<number, readonly Word[]>;
  /** Known only where a reference goes the wrong way. */
  circles: readonly number[] | undefined;
}

function linkOf(plan: Plan, stage: Stage): Link {
  const { errors } = plan.scope;
  const unknown = { base: { kind: 'image', reference: stage.from.image.text } } as const;
  const from: ReturnType<typeof resolveFrom> =
    attempt(errors, () => resolveFrom(stage, plan.scope)) ?? unknown;
  const needs = new Set(from.base.kind === 'stage' ? [from.base.index] : []);
  for (const word of wordsOf(plan, stage, from.base)) {
    const other = attempt(errors, () => stageOf(plan.scope.containerfile.stages, word, plan.scope));
    if (other === undefined) continue;
    if (other < stage.index) needs.add(other);
    else errors.push(wrongWay(plan, stage, { other, word }));
  }
  return { stage, ...from, needs: [...needs].sort((a, b) => a - b) };
}

/** What a stage copies from or mounts, by its own instructions and by its parent's triggers. */
function wordsOf(plan: Plan, stage: Stage, base: StageBase): readonly Word[] {
  const triggered = triggeredBy(plan, stage, base);
  return [...sourcesOfStage(stage), ...triggered.map(({ text }) => ({ text, range: stage.from.range }))];
}

function triggeredBy({ scope, options, triggered }: Plan, stage: Stage, base: StageBase): readonly Word[] {
  const { stages, escape: escapeWith } = scope.containerfile;
  if (base.kind !== 'stage') return sourcesOfTriggers(options.triggers?.get(stage.index) ?? [], escapeWith);
  const known = triggered.get(base.index);
  if (known !== undefined) return known;
  const words = sourcesOfTriggers(triggersOfStage(stages[base.index]!), escapeWith);
  triggered.set(base.index, words);
  return words;
}

/** A reference to the stage itself or to a later one; one that comes back is a circle. */
function wrongWay(
  plan: Plan,
  stage: Stage,
  { other, word }: { readonly other: number; readonly word: Word },
): BuildError {
  const { stages } = plan.scope.containerfile;
  const label = (index: number): string => stages[index]!.name ?? String(index);
  plan.circles ??= circlesOf(stages.map((one) => allNeeds(plan, one)));
  if (plan.circles[other] === plan.circles[stage.index]) {
    const hint =
      other === stage.index
        ? 'A stage cannot read its own files from outside: name another stage or an image.'
        : `${label(other)} needs ${label(stage.index)} itself: take one of the two references away.`;
    const message = `circular dependency detected on stage: ${label(stage.index)}`;
    return new BuildError('parse', message, { location: word.range, hint });
  }
  const message = `cannot copy from stage "${label(other)}", it needs to be defined before current stage "${label(stage.index)}"`;
  const hint = `Move the stage ${label(other)} above this one.`;
  return new BuildError('parse', message, { location: word.range, hint });
}

/** The stages that a stage needs in either direction; what is wrong with it is told elsewhere. */
function allNeeds(plan: Plan, stage: Stage): number[] {
  const quiet = { ...plan.scope, errors: [] };
  const base = attempt(quiet.errors, () => resolveFrom(stage, quiet))?.base;
  const words = base === undefined ? sourcesOfStage(stage) : wordsOf(plan, stage, base);
  const others = words.flatMap((word) => {
    const other = attempt(quiet.errors, () => stageOf(plan.scope.containerfile.stages, word, plan.scope));
    return other ?? [];
  });
  return base?.kind === 'stage' ? [base.index, ...others] : others;
}
