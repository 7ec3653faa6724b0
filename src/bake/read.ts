import { define } from './blocks.ts';
import { withinBounds } from './bounds.ts';
import type { ComposeSource } from './compose/load.ts';
import { definitionOf, readProject } from './compose/project.ts';
import { type Definition, emptyDefinition } from './definition.ts';
import type { ReadSyntax } from './hcl/grammar.ts';
import { parseJson } from './hcl/json.ts';
import { parseHcl } from './hcl/parse.ts';
import type { Body } from './hcl/syntax.ts';
import type { BakeFile } from './source.ts';
import type { Given } from './variables.ts';

/** What bake files say, taken together: first the Compose files, then those in HCL and JSON, each kind in its order. */
export async function readDefinition(
  files: readonly BakeFile[],
  { given, compose: source }: { readonly given: Given; readonly compose: ComposeSource },
): Promise<Definition> {
  const compose = files.filter(isCompose);
  const written = files.filter((file) => !compose.includes(file));
  const known = compose.length === 0 ? emptyDefinition : definitionOf(await readProject(compose, source));
  if (written.length === 0) return known;
  const { openGrammar } = await import('./hcl/grammar.ts');
  const read = await openGrammar();
  return await withinBounds(async () => {
    const bodies = await Promise.all(written.map((file) => bodyOf(file, read)));
    return define(bodies, known, given);
  });
}

/** By its name, and where that says nothing by how it begins. */
function isCompose({ name, text }: BakeFile): boolean {
  if (/\.ya?ml$/i.test(name)) return true;
  return !/\.(json|hcl)$/i.test(name) && /^(services|name|version|x-[\w-]+):/m.test(text);
}

async function bodyOf(file: BakeFile, read: ReadSyntax): Promise<Body> {
  const isJson = /\.json$/i.test(file.name) || (!/\.hcl$/i.test(file.name) && /^\s*\{/.test(file.text));
  return isJson ? await parseJson(file, read) : parseHcl(file, read);
}
