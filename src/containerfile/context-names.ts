import { suggestion } from '../core/errors.ts';
import { formatPlatform, parsePlatform } from '../core/platform.ts';
import type { Platform } from '../core/types.ts';
import { sourcesOfStage } from './stage-references.ts';
import type { Containerfile, GraphStage, Stage, Warning } from './types.ts';

/**
 * A name as named contexts are looked up by: that of an image in its short form, so that `base`, `base:latest` and
 * `docker.io/library/base` are one (containerfile §6).
 */
export function contextName(text: string): string {
  const short = text
    .toLowerCase()
    .replace(/^(?:index\.)?docker\.io\//, '')
    .replace(/^library\/(?!.*\/)/, '');
  return short.replace(/:latest$/, '');
}

/** What is written before the `=` of `--build-context`: `name`, or `name::linux/arm64` for one platform alone. */
export function parseContextName(written: string): { readonly name: string; readonly platform?: string } {
  const [text = '', platform] = written.split('::');
  const name = contextName(text);
  return platform === undefined ? { name } : { name, platform: formatPlatform(parsePlatform(platform)) };
}

/** Names of the contexts that count for these platforms. */
export function contextsFor(written: Iterable<string>, platforms: readonly Platform[]): Set<string> {
  const wanted = platforms.map(formatPlatform);
  const counting = [...written]
    .map(parseContextName)
    .filter(({ platform }) => platform === undefined || wanted.includes(platform));
  return new Set(counting.map(({ name }) => name));
}

/** A stage whose name is a named context's is that context: it starts from it, and nothing is done on top. */
export function unlessReplaced(stage: Stage, contexts: ReadonlySet<string>): Stage {
  const { name, from } = stage;
  if (name === undefined || !contexts.has(contextName(name))) return stage;
  return { ...stage, from: { ...from, image: { ...from.image, text: name } }, instructions: [] };
}

/** Contexts that nothing of the file names. A base whose name has variables is known where its stage is needed. */
export function unusedContexts(
  { stages }: Containerfile,
  needed: Iterable<Pick<GraphStage, 'base'>>,
  contexts: Iterable<string>,
): Warning[] {
  const bases = [...needed].flatMap(({ base }) => (base.kind === 'image' ? [base.reference] : []));
  const written = stages.flatMap((stage) => [
    ...(stage.name === undefined ? [] : [stage.name]),
    stage.from.image.text,
    ...sourcesOfStage(stage).map(({ text }) => text),
  ]);
  const used = new Set([...bases, ...written].map(contextName));
  return [...new Set(contexts)]
    .filter((name) => !used.has(name))
    .map((name) => ({
      text: `the context ${name} is not used: no FROM, --from or mount names it`,
      location: stages[0]!.from.range,
      hint: suggestion(name, used) ?? `Write FROM ${name} or COPY --from=${name} where it is wanted.`,
    }));
}
