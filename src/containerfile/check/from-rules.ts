import { BuildError } from '../../core/errors.ts';
import { formatPlatform, parsePlatform } from '../../core/platform.ts';
import type { Platform } from '../../core/types.ts';
import { expandWord, type VariableUse } from '../expand.ts';
import { globalArgsOf } from '../global-args.ts';
import type { FromInstruction, StageGraph, Word } from '../types.ts';
import type { Findings } from './findings.ts';
import { meant } from './scope.ts';
import { rangeIn } from './word-places.ts';

interface FromFacts {
  /** The target, which a platform ARG tells. */
  readonly target?: string;
  /** Whether a text may name an image. */
  readonly isReference: (text: string) => boolean;
  readonly findings: Findings;
}

/** Rules over every FROM of the file, with the global ARGs' values. */
export function checkFroms(graph: StageGraph, facts: FromFacts): void {
  const { containerfile } = graph;
  const declared = new Set([
    ...Object.keys(graph.globalArgs),
    ...containerfile.globals.flatMap(({ args }) => args.map(({ name }) => name)),
  ]);
  for (const { from } of containerfile.stages) {
    if (from.broken) continue;
    const scope = { ...facts, graph, declared, escape: containerfile.escape };
    const image = expanded(from.image, scope);
    warnOfUndeclared(image, from, scope);
    if (from.platform === undefined) continue;
    const platform = expanded(from.platform, scope);
    warnOfUndeclared(platform, from, scope);
    checkPlatform(platform, from, scope);
  }
  checkDefaults(graph, facts);
}

interface Scope extends FromFacts {
  readonly graph: Pick<StageGraph, 'globalArgs'>;
  readonly declared: ReadonlySet<string>;
  readonly escape: '\\' | '`';
}

/** A word's value, undefined where it has none, and the variables it asked for. */
interface Expansion {
  readonly word: Word;
  readonly value: string | undefined;
  readonly set: ReadonlySet<string>;
  readonly unset: ReadonlyMap<string, VariableUse>;
}

function expanded(word: Word, scope: Pick<Scope, 'graph' | 'escape'>): Expansion {
  const values = scope.graph.globalArgs;
  const set = new Set<string>();
  const unset = new Map<string, VariableUse>();
  const onVariable = (use: VariableUse): void => {
    if (Object.hasOwn(values, use.name)) set.add(use.name);
    else unset.set(use.name, use);
  };
  try {
    return { word, value: expandWord(word.text, values, { escape: scope.escape, onVariable }), set, unset };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return { word, value: undefined, set, unset };
  }
}

function warnOfUndeclared({ word, unset }: Expansion, { comments }: FromInstruction, scope: Scope): void {
  for (const [name, use] of unset) {
    if (scope.declared.has(name)) continue;
    const text = `no ARG above declares the variable ${name}${meant(name, [...scope.declared])}`;
    const location = rangeIn(word, use);
    scope.findings.warn({ rule: 'UndefinedArgInFrom', text, location, comments });
  }
}

function checkPlatform(
  { word, value, set, unset }: Expansion,
  { name = '', comments }: FromInstruction,
  { graph, findings }: Scope,
): void {
  const at = { location: word.range, comments };
  if (set.size === 1 && unset.size === 0 && set.has('TARGETPLATFORM')) {
    if (value !== graph.globalArgs.TARGETPLATFORM) return;
    const text = `--platform=${word.text} says what is so without it`;
    findings.warn({ rule: 'RedundantTargetPlatform', text, ...at });
  } else if (set.size === 0 && unset.size === 0 && value !== undefined) {
    const platform = platformIn(value);
    if (platform === undefined) return;
    if (name.includes(platform.os) || name.includes(platform.architecture)) return;
    const text = `--platform is ${JSON.stringify(value)}, whatever is built for`;
    findings.warn({ rule: 'FromPlatformFlagConstDisallowed', text, ...at });
  }
}

function platformIn(text: string): Platform | undefined {
  try {
    return parsePlatform(text);
  } catch {
    return undefined;
  }
}

/** Whether every FROM would name an image if no build arg were given. */
function checkDefaults(graph: StageGraph, facts: FromFacts): void {
  const { containerfile } = graph;
  const globalArgs = defaultsOf(graph, facts);
  if (globalArgs === undefined) return;
  const scope = { graph: { globalArgs }, escape: containerfile.escape };
  for (const { from } of containerfile.stages) {
    if (from.broken) continue;
    const { value } = expanded(from.image, scope);
    if (value === undefined) return;
    if (facts.isReference(value)) continue;
    const text = `without build args ${from.image.text} names no image`;
    const { range: location } = from.image;
    facts.findings.warn({ rule: 'InvalidDefaultArgInFrom', text, location, comments: from.comments });
  }
}

function defaultsOf(
  { containerfile, platform, buildPlatform }: StageGraph,
  { target }: FromFacts,
): StageGraph['globalArgs'] | undefined {
  const errors: BuildError[] = [];
  const { values } = globalArgsOf(containerfile, {
    buildArgs: {},
    platform,
    buildPlatform,
    errors,
    ...(target !== undefined && { target }),
  });
  return errors.length === 0 ? values : undefined;
}

/** A base image that is for another platform than the stage. */
export function checkBasePlatform(
  { image, range, comments }: FromInstruction,
  { expected, actual }: { readonly expected: Platform; readonly actual: Platform },
  findings: Findings,
): void {
  if (expected.os === actual.os && expected.architecture === actual.architecture) return;
  const [is, wanted] = [formatPlatform(actual), formatPlatform(expected)].map((text) => JSON.stringify(text));
  const text = `the base image ${image.text} is for ${is}, and the stage for ${wanted}`;
  findings.warn({ rule: 'InvalidBaseImagePlatform', text, location: range, comments });
}
