import type { SourceRange } from '../../core/errors.ts';
import { variablesIn } from '../expand.ts';
import { filesOf } from '../parse.ts';
import type { ArgInstruction, Containerfile, StageGraph } from '../types.ts';
import { descriptionOf } from './descriptions.ts';
import type { DeclaredArg, StageFacts, UsedMount } from './facts.ts';
import { type Location, locationOf } from './location.ts';

/** What a build of a target takes, as `--call=outline,format=json` has it. */
export interface Outline {
  readonly name?: string;
  readonly description?: string;
  readonly args?: readonly OutlineArg[];
  readonly secrets?: readonly Named[];
  readonly ssh?: readonly Named[];
  readonly cache?: readonly { readonly id: string; readonly location: Location }[];
}

interface OutlineArg {
  readonly name: string;
  readonly description?: string;
  readonly value?: string;
  readonly location: Location;
}

interface Named {
  readonly name: string;
  readonly required: boolean;
  readonly location: Location;
}

/** The outline of the graph's target, from what a check read of the stages it needs. */
export function outlineOf(graph: StageGraph, stages: ReadonlyMap<number, StageFacts>): Outline {
  const { name, from } = graph.containerfile.stages[graph.target]!;
  const description = name === undefined ? undefined : descriptionOf(from.comments, name);
  const mounts = [...stages.values()].flatMap((facts) => facts.mounts);
  const at = placing(graph.containerfile);
  return {
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...listed('args', argsOf(graph, stages, at)),
    ...listed('secrets', namedOf(mounts, 'secret', at)),
    ...listed('ssh', namedOf(mounts, 'ssh', at)),
    ...listed('cache', cachesOf(mounts, at)),
  };
}

type Place = (range: SourceRange) => Location;

function placing(containerfile: Containerfile): Place {
  const files = filesOf(containerfile);
  return (range) => locationOf(range, files);
}

/** A member for a list that is not empty. */
function listed<Key extends string, Item>(
  key: Key,
  items: readonly Item[],
): { [K in Key]?: readonly Item[] } {
  return items.length === 0 ? {} : ({ [key]: items } as { [K in Key]?: readonly Item[] });
}

/** Every ARG that matters, once, in the order of the file: those of the stages, and the global ones they use. */
function argsOf(graph: StageGraph, stages: ReadonlyMap<number, StageFacts>, at: Place): OutlineArg[] {
  const { globals } = graph.containerfile;
  const declared = [...stages.values()].flatMap(({ args }) => args);
  const own = declared.filter((arg) => isOwn(arg));
  const inherited = declared.filter((arg) => !isOwn(arg)).map(({ name }) => name);
  const used = withDefaults([...inherited, ...namesInFroms(graph)], graph.containerfile);
  const found = [
    ...globals.flatMap((instruction) =>
      instruction.args
        .filter(({ name }) => used.has(name))
        .map(({ name }) => ({ name, value: graph.globalArgs[name], instruction })),
    ),
    ...own,
  ];
  const once = new Map(found.map((arg) => [arg.name, arg]));
  return [...once.values()]
    .sort((a, b) => byPlace(a.instruction.range, b.instruction.range))
    .map((arg) => outlined(arg, at));
}

/** An ARG that brings its own value; one without has that of the global ARG of its name. */
function isOwn({ name, instruction, value }: DeclaredArg): boolean {
  const written = instruction.args.find((arg) => arg.name === name);
  return written?.value !== undefined || value === undefined;
}

function namesInFroms({ stages, containerfile }: StageGraph): string[] {
  const { escape: sign } = containerfile;
  return stages.flatMap(({ stage }) => {
    const words = [stage.from.image, ...(stage.from.platform === undefined ? [] : [stage.from.platform])];
    return words.flatMap(({ text }) => variablesIn(text, { escape: sign }).map(({ name }) => name));
  });
}

/** The names with those that the defaults of their global ARGs use, and so on. */
function withDefaults(names: readonly string[], { globals, escape: sign }: Containerfile): Set<string> {
  const defaults = new Map<string, string[]>();
  for (const { name, value } of globals.flatMap(({ args }) => args)) {
    const uses = value === undefined ? [] : variablesIn(value.text, { escape: sign });
    defaults.set(name, [...(defaults.get(name) ?? []), ...uses.map((use) => use.name)]);
  }
  const used = new Set(names);
  for (const name of used) for (const more of defaults.get(name) ?? []) used.add(more);
  return used;
}

interface FoundArg {
  readonly name: string;
  readonly value?: string | undefined;
  readonly instruction: ArgInstruction;
}

function outlined({ name, value, instruction }: FoundArg, at: Place): OutlineArg {
  const description = descriptionOf(instruction.comments, name);
  return {
    name,
    ...(description !== undefined && { description }),
    ...(value !== undefined && { value }),
    location: at(instruction.range),
  };
}

function namedOf(mounts: readonly UsedMount[], type: string, at: Place): Named[] {
  const found = new Map<string, Named>();
  for (const { request, word } of mounts) {
    if (request.type !== type || !('required' in request) || found.has(request.id)) continue;
    const { id: name, required } = request;
    found.set(name, { name, required, location: at(word.range) });
  }
  return [...found.values()];
}

function cachesOf(mounts: readonly UsedMount[], at: Place): { id: string; location: Location }[] {
  return mounts.flatMap(({ request, word }) =>
    request.type === 'cache' ? [{ id: request.id, location: at(word.range) }] : [],
  );
}

function byPlace(a: SourceRange, b: SourceRange): number {
  return a.startLine - b.startLine || a.startColumn - b.startColumn;
}
