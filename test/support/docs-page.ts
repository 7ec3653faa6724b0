import { readdirSync, readFileSync } from 'node:fs';

/** A page of the documentation, as far as it can be tried. */
export interface Page {
  /** Its path in the repository. */
  readonly file: string;
  readonly text: string;
  readonly blocks: readonly Block[];
}

/** A fenced block. */
export interface Block {
  /** Where its fence stands. */
  readonly line: number;
  readonly language: string;
  /** What its fence says behind the language: `file=Containerfile`, `norun="needs a cluster"`, `output`. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly text: string;
}

/** README.md and every page of docs/, in the order of their names. */
export function readPages(): readonly Page[] {
  const docs = readdirSync('docs').filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.sort().map((name) => `docs/${name}`)].map((file) =>
    parsePage(file, readFileSync(file, 'utf8')),
  );
}

/** Fails on a fence that is not closed. */
export function parsePage(file: string, text: string): Page {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [, indent, fence, info] = /^( *)(`{3,}|~{3,})(.*)$/.exec(lines[at]!) ?? [];
    if (fence === undefined) continue;
    const end = lines.findIndex((line, index) => index > at && line.trim() === fence);
    if (end < 0) throw new Error(`${file}:${at + 1}: the block does not end`);
    const inside = lines.slice(at + 1, end).map((line) => line.replace(new RegExp(`^${indent}`), ''));
    blocks.push({ line: at + 1, ...parseInfo(info!), text: inside.map((line) => `${line}\n`).join('') });
    at = end;
  }
  return { file, text, blocks };
}

/** The page's lines outside of its blocks; those inside are empty. */
export function proseOf({ text, blocks }: Page): readonly string[] {
  const lines = text.split('\n');
  for (const { line, text: inside } of blocks) lines.fill('', line - 1, line + inside.split('\n').length);
  return lines;
}

function parseInfo(info: string): Pick<Block, 'language' | 'attributes'> {
  const [, language = '', rest = ''] = /^\s*(\S*)(.*)$/.exec(info) ?? [];
  const found = [...rest.matchAll(/(\w+)(?:=(?:"([^"]*)"|(\S+)))?/g)];
  const attributes = found.map(([, name, quoted, bare]) => [name!, quoted ?? bare ?? ''] as const);
  return { language, attributes: new Map(attributes) };
}
