import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Node } from 'web-tree-sitter';

/** A node of the concrete syntax; places are counted in characters of the text. */
export interface SyntaxNode {
  readonly type: string;
  /** False for punctuation and words of the grammar. */
  readonly named: boolean;
  /** What was written there fits nowhere, or something is missing there. */
  readonly broken: boolean;
  readonly start: number;
  readonly end: number;
  readonly children: readonly SyntaxNode[];
}

/** Reads a text; what is wrong with it shows in broken nodes. */
export type ReadSyntax = (text: string) => SyntaxNode;

let opening: Promise<ReadSyntax> | undefined;

/** The grammar of HCL, loaded once. */
export function openGrammar(): Promise<ReadSyntax> {
  opening ??= load();
  return opening;
}

async function load(): Promise<ReadSyntax> {
  const { Language, Parser } = await import('web-tree-sitter');
  const { buffer } = wasm('web-tree-sitter/web-tree-sitter.wasm');
  await Parser.init({ wasmBinary: buffer });
  const language = await Language.load(wasm('@tree-sitter-grammars/tree-sitter-hcl/tree-sitter-hcl.wasm'));
  const parser = new Parser();
  parser.setLanguage(language);
  return (text) => {
    const tree = parser.parse(text)!;
    const root = copyOf(tree.rootNode);
    tree.delete();
    return root;
  };
}

/** Beside the installed program, else where the package of a checkout has it. */
function wasm(name: string): Uint8Array<ArrayBuffer> {
  const beside = fileURLToPath(new URL(`./${name.replace(/^.*\//, '')}`, import.meta.url));
  return Uint8Array.from(
    readFileSync(existsSync(beside) ? beside : createRequire(import.meta.url).resolve(name)),
  );
}

function copyOf(node: Node): SyntaxNode {
  const children = node.children.filter((child) => child.type !== 'comment');
  return {
    type: node.type,
    named: node.isNamed,
    broken: node.isError || node.isMissing,
    start: node.startIndex,
    end: node.endIndex,
    children: children.map(copyOf),
  };
}
