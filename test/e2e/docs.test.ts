import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { transformSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unknownInputs } from '../support/ci-inputs.ts';
import { checkCommandLine, commandLinesOf, readYaml, scriptsOf } from '../support/docs-commands.ts';
import { type Block, type Page, proseOf, readPages } from '../support/docs-page.ts';
import { type DocsPlace, openDocsPlace, reasonNotToRun } from '../support/docs-place.ts';
import { skip } from '../support/skips.ts';

const pages = readPages();

/** What a block's language says of it, and what must hold for it. */
const languages: Readonly<Record<string, (text: string) => void>> = {
  sh: checkShell,
  // What a terminal shows: the lines behind a prompt are commands.
  console: (text) => checkShell([...text.matchAll(/^\$ (.*)$/gm)].map(([, line]) => line).join('\n')),
  text: () => {},
  dockerfile: () => {},
  toml: () => {},
  yaml: (text) => {
    const documents = readYaml(text);
    for (const script of documents.flatMap(scriptsOf)) checkShell(script);
    const unknown = documents.flatMap(unknownInputs);
    if (unknown.length > 0) throw new Error(`there are no inputs ${unknown.join(', ')}`);
  },
  json: (text) => void JSON.parse(text),
  js: (text) => void transformSync(text, { loader: 'js', format: 'esm' }),
  ts: (text) => void transformSync(text, { loader: 'ts', format: 'esm' }),
  hcl: () => {},
};

/** How many blocks of commands may be shown without being run: each says why. */
const mostNotRun = 25;

describe.each(pages)('$file', (page) => {
  it('has blocks of known languages, whose commands have flags that exist', () => {
    const faults = page.blocks.flatMap((block) => faultOf(page, block));
    expect(faults).toEqual([]);
  });

  it('shows what is to be typed in blocks with a fence', () => {
    expect(proseOf(page).filter((line) => /^ {4,}(?:tsbuild|npm|docker|sudo) /.test(line))).toEqual([]);
  });

  it('links to what is there', () => {
    const links = [
      ...proseOf(page)
        .join('\n')
        .matchAll(/\]\(([^)\s]+)\)/g),
    ].map(([, to]) => to!);
    expect(links.filter((to) => !/^https?:/.test(to) && !leadsSomewhere(page, to))).toEqual([]);
  });
});

it('docs/README.md leads to every page', () => {
  const index = readFileSync('docs/README.md', 'utf8');
  const names = pages.map(({ file }) => file.replace(/^docs\//, '')).filter((name) => name !== 'README.md');
  expect(names.filter((name) => !index.includes(`](${name})`))).toEqual([]);
});

describe.skipIf(
  skip('pages of the documentation', { programs: ['docker-registry', 'skopeo', 'openssl', 'busybox'] }),
)('what pages say is done', () => {
  let place: DocsPlace;
  beforeAll(async () => {
    place = await openDocsPlace(pages);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it.concurrent.each(pages.filter(hasCommands))('$file works as it is written', (page) => place.tryOut(page));
});

it('few commands are not run, and each says why', () => {
  const shown = pages.flatMap(({ file, blocks }) =>
    blocks
      .filter(({ language }) => language === 'sh')
      .flatMap((block) => {
        const reason = block.attributes.get('norun');
        return reason === undefined ? [] : [`${file}:${block.line}: ${reason}`];
      }),
  );
  console.info(`not run:\n${shown.join('\n')}`);
  expect(shown.filter((line) => /: *$/.test(line))).toEqual([]);
  expect(shown.length).toBeLessThanOrEqual(mostNotRun);
});

function hasCommands({ blocks }: Page): boolean {
  return blocks.some((block) => reasonNotToRun(block) === undefined);
}

function faultOf({ file }: Page, { line, language, text }: Block): string[] {
  const check = languages[language];
  if (check === undefined) return [`${file}:${line}: unknown language '${language}'`];
  try {
    check(text);
    return [];
  } catch (error) {
    return [`${file}:${line}: ${(error as Error).message}`];
  }
}

function checkShell(script: string): void {
  for (const words of commandLinesOf('tsbuild', script)) checkCommandLine(words);
}

/** A file or folder of the repository, and where a heading is named, a heading of it. */
function leadsSomewhere(page: Page, link: string): boolean {
  const [path = '', heading] = link.split('#');
  const file = path === '' ? page.file : join(dirname(page.file), path);
  if (!existsSync(file)) return false;
  return heading === undefined || headingsOf(readFileSync(file, 'utf8')).includes(heading);
}

/** As GitHub names them. */
function headingsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}
