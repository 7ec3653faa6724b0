import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What build and commands put together. */
const parts = [
  'src/core',
  'src/sys',
  'src/oci',
  'src/http',
  'src/registry',
  'src/containerfile',
  'src/report',
  'src/attest',
  'src/bake',
  'cache',
  'cache/remote',
  'builder',
];

/** Which parts a part may import besides itself (ARCHITECTURE.md draws it). */
const allowed: Record<string, readonly string[]> = {
  'src/core': [],
  'src/sys': ['src/core'],
  'src/oci': ['src/core'],
  'src/http': ['src/core'],
  'src/registry': ['src/core', 'src/oci', 'src/http'],
  'src/containerfile': ['src/core'],
  'src/report': ['src/core'],
  'src/attest': ['src/core', 'src/oci'],
  'src/bake': ['src/core'],
  cache: ['src/core', 'src/sys', 'src/oci'],
  'cache/remote': ['src/core', 'src/oci', 'src/http', 'src/registry', 'cache'],
  builder: ['src/core', 'src/sys', 'src/oci', 'src/containerfile', 'src/http'],
  'src/build.ts': [...parts, 'src/build', 'src/commands'],
  'src/build': [...parts, 'src/commands'],
  'src/commands': [...parts, 'src/build', 'src/build.ts'],
  'src/cli': ['src/core', 'src/build.ts', 'src/commands', 'src/report'],
  'src/start.ts': ['src/cli', 'src/cli.ts'],
  'src/cli.ts': ['src/core', 'src/sys', 'src/cli'],
  'src/api': ['src/core'],
  'src/index.ts': ['src/core', 'src/api'],
};

/** The one folder or file that may import a package: a doorway each. */
const doorways: Record<string, string> = {
  'dockerfile-ast': 'src/containerfile/',
  'tar-stream': 'src/oci/archive.ts',
  fzstd: 'src/oci/inflate.ts',
  'p-limit': 'src/core/gates.ts',
  undici: 'src/http/',
  commander: 'src/cli/',
  koffi: 'src/sys/',
  'smol-toml': 'src/registry/',
  'sql.js': 'src/attest/sbom/system-packages.ts',
  '@cyclonedx/cyclonedx-library': 'src/attest/sbom/documents.ts',
  '@noble/ciphers/salsa': 'src/attest/signing-key.ts',
  'web-tree-sitter': 'src/bake/hcl/grammar.ts',
  yaml: 'src/bake/yaml.ts',
};

/** Parts that touch neither disk nor network nor process: text in, values or text out. */
const pure = ['src/containerfile', 'src/report'];

interface Import {
  readonly from: string;
  readonly to: string;
}

function partOf(file: string): string {
  const known = Object.keys(allowed).filter((part) => file === part || file.startsWith(`${part}/`));
  return known.sort((a, b) => b.length - a.length)[0] ?? file;
}

function sources(): string[] {
  return ['src', 'builder', 'cache'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `${folder}/${file}`),
  );
}

function importsOf(file: string, text: string): Import[] {
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\b[^'";]*?\bfrom\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'|\brequire\('([^']+)'\)/g,
  );
  return [...found].map((match) => {
    const name = match[1] ?? match[2] ?? match[3] ?? match[4] ?? '';
    const to = name.startsWith('.') ? relative(root, join(root, dirname(file), name)) : name;
    return { from: file, to };
  });
}

function violations(imports: readonly Import[]): string[] {
  return imports.flatMap(({ from, to }) => {
    if (to.startsWith('node:'))
      return pure.includes(partOf(from)) ? [`${from} is pure but imports ${to}`] : [];
    if (/^(src|builder|cache|test)\//.test(to)) {
      const [here, there] = [partOf(from), partOf(to)];
      const rule = allowed[here];
      if (rule === undefined) return [`${from}: no rule for this part`];
      return here === there || rule.includes(there) ? [] : [`${from} imports ${to}`];
    }
    const door = Object.entries(doorways).find(([name]) => to === name || to.startsWith(`${name}/`));
    if (door === undefined) return [`${from} imports the package ${to}, which has no doorway`];
    return from.startsWith(door[1]) ? [] : [`${from} imports ${to}, whose doorway is ${door[1]}`];
  });
}

/** Files that import each other in a loop (types count), one of each loop's ways around. */
function circles(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file].join(' → '));
    else if (!done.has(file)) for (const to of next.get(file) ?? []) visit(to, [...way, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}

function everyImport(): Import[] {
  return sources().flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')));
}

describe('architecture', () => {
  it('holds the import rules', () => {
    const all = everyImport();
    expect(all.length).toBeGreaterThan(500);
    expect(violations(all)).toEqual([]);
  });

  it('has no circles', () => {
    expect(circles(everyImport())).toEqual([]);
  });

  it('finds circles', () => {
    const arrow = (from: string, to: string): Import => ({ from, to });
    expect(circles([arrow('a', 'b'), arrow('a', 'c'), arrow('b', 'c')])).toEqual([]);
    expect(circles([arrow('a', 'b'), arrow('b', 'c'), arrow('c', 'b')])).toEqual(['b → c → b']);
  });

  it('finds what breaks them', () => {
    const bad = importsOf(
      'src/core/x.ts',
      "import { a } from '../oci/tar.ts';\nimport undici from 'undici';\nconst k = await import('koffi');\nimport 'left-pad';\nimport { t } from '../../test/support/trees.ts';",
    );
    expect(violations(bad)).toHaveLength(5);
    const impure = importsOf('src/report/x.ts', "import fs from 'node:fs';");
    expect(violations(impure)).toEqual(['src/report/x.ts is pure but imports node:fs']);
    const upwards = importsOf('src/commands/x.ts', "import { main } from '../cli/main.ts';");
    expect(violations(upwards)).toEqual(['src/commands/x.ts imports src/cli/main.ts']);
    const good = importsOf(
      'cache/x.ts',
      "import type { A } from '../src/oci/tar.ts';\nimport fs from 'node:fs';",
    );
    expect(violations(good)).toEqual([]);
  });
});
