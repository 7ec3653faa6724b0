import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allCommands } from '../../../src/cli/all-commands.ts';
import { definitionOf } from '../../../src/cli/definitions.ts';
import { examples } from '../../../src/cli/examples.ts';
import { main } from '../../../src/cli/main.ts';
import { manualPages } from '../../../src/cli/manual/pages.ts';
import { grouped, groups } from '../../../src/cli/overview.ts';
import { parseCommand } from '../../../src/cli/parse.ts';
import { fakeHost } from './fake-host.ts';

async function told(...args: readonly string[]): Promise<string> {
  const host = fakeHost();
  expect(await main(args, host)).toBe(0);
  return host.written[1] ?? '';
}

/** Words of a line as a shell splits them. */
function wordsOf(line: string): string[] {
  const own = line.replace(/ (?:\||>|>>) .*$/, '');
  return [...own.matchAll(/["']([^"']*)["']|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!).slice(1);
}

describe('help', () => {
  it('has a group for every command', () => {
    expect(grouped(allCommands).map(({ heading }) => heading)).not.toContain('Others');
  });

  it('lists every command, and fits 80 columns', async () => {
    const text = await told('--help');
    for (const { name, summary } of allCommands) expect(text).toContain(`  ${name.padEnd(18)}${summary}\n`);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(await told('help')).toBe(text);
  });

  it.each(allCommands)('of $name fits 80 columns, and shows what its examples do', async ({ name }) => {
    const text = await told(...name.split(' '), '--help');
    expect(text).toMatch(/^Examples:$/m);
    expect(text).not.toMatch(/\n\n(?:\n|$)/);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(await told('help', ...name.split(' '))).toBe(text);
  });

  it('shows the commands of a family', async () => {
    const text = await told('cache', '--help');
    expect(text).toContain('cache export');
    expect(text).not.toContain('manifest');
    expect(await told('help', 'cache')).toBe(text);
  });

  it.each(Object.entries(examples).flatMap(([name, of]) => of.map(({ line }) => [name, line] as const)))(
    '%s: the flags of `%s` are known',
    (name, line) => {
      const spec = allCommands.find((one) => one.name === name);
      // The examples of commands that another branch brings are here before them.
      if (spec === undefined) return expect(groups.flatMap(([, names]) => names)).toContain(name);
      const words = wordsOf(line);
      const isNamed = words.slice(0, name.split(' ').length).join(' ') === name;
      const args = isNamed ? words.slice(name.split(' ').length) : words;
      return expect(() => parseCommand(spec, args, () => {})).not.toThrow();
    },
  );
});

describe('man pages', () => {
  const pages = manualPages(allCommands);

  it('are those that npm installs', () => {
    const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { man: readonly string[] };
    const files = pages.map(({ file }) => `./dist/man/man1/${file}`).sort();
    if (process.env.TSBUILD_TEST_WRITE === '1')
      writeFileSync('package.json', `${JSON.stringify({ ...manifest, man: files }, null, 2)}\n`);
    else expect([...manifest.man].sort()).toEqual(files);
  });

  it('tell of every flag that help tells of', () => {
    for (const spec of allCommands) {
      const file = `tsbuild-${spec.name.replaceAll(' ', '-')}.1`;
      const { text } = pages.find((page) => page.file === file)!;
      const plain = text.replaceAll('\\-', '-');
      for (const { names, description } of definitionOf(spec).flags) {
        for (const name of names) expect(plain).toContain(`\\fB${name}\\fR`);
        expect(plain).toContain(description.replaceAll('…', '...'));
      }
    }
  });

  it('are plain ASCII, and no line of text is a request', () => {
    for (const { file, text } of pages) {
      expect(text.match(/[^\x0a\x20-\x7e]/g), file).toBeNull();
      const requests = text.split('\n').filter((line) => /^[.']/.test(line));
      expect(requests.filter((line) => !/^\.(TH|nh|SH|SS|TP|PP|nf|fi|RS 4|RE|br)\b/.test(line))).toEqual([]);
    }
  });
});
