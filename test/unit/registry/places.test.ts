import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Mirror } from '../../../src/core/options.ts';
import type { Origin } from '../../../src/core/types.ts';
import { formatReference } from '../../../src/oci/reference.ts';
import { mayBeInsecure, meaningOf, placesOf, type Wanted } from '../../../src/registry/places.ts';
import { type RegistriesConf, readRegistriesConf } from '../../../src/registry/registries-conf.ts';

const cases = fileURLToPath(new URL('../../../testdata/registries/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'places-'));
afterAll(() => rmSync(folder, { recursive: true }));
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(folder, 'root-'));
});

function put(path: string, content: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

/** Reads what lies in `etc` and `home/.config/containers`. */
function read(env: Record<string, string> = {}): Promise<RegistriesConf> {
  return readRegistriesConf({ env, home: join(root, 'home'), systemFolder: join(root, 'etc') });
}

const shared = join(cases, 'registries.conf');
const sharedConf = (): Promise<RegistriesConf> => read({ CONTAINERS_REGISTRIES_CONF: shared });

function originOf(name: string): Origin {
  const slash = name.indexOf('/');
  return { host: name.slice(0, slash), repository: name.slice(slash + 1) };
}

function listed(
  name: string,
  wanted: Wanted,
  conf: RegistriesConf,
  mirrors: readonly Mirror[] = [],
): string[] {
  return placesOf(originOf(name), wanted, { conf, mirrors }).map(
    ({ host, repository, insecure, isMirror }) =>
      `${isMirror ? 'mirror ' : ''}${host}/${repository}${insecure ? ' insecure' : ''}`,
  );
}

describe('the places of', () => {
  const table = JSON.parse(readFileSync(join(cases, 'places.json'), 'utf8')) as [
    string,
    Wanted,
    string[] | string,
  ][];
  it.each(table)('%s, by %s', async (name, wanted, expected) => {
    const conf = await sharedConf();
    if (Array.isArray(expected)) expect(listed(name, wanted, conf)).toEqual(expected);
    else expect(() => listed(name, wanted, conf)).toThrow(expected.replace('FILE', shared));
  });

  it('an image with mirrors of the command line: those come first', async () => {
    const mirrors = [
      { of: 'docker.io', at: 'https://first.example' },
      { of: 'docker.io/library', at: 'http://second.example:80/lib' },
      { of: 'quay.io', at: 'third.example' },
    ];
    const conf = await sharedConf();
    expect(listed('docker.io/library/a', 'tag', conf, mirrors)).toEqual([
      'mirror first.example/library/a',
      'mirror second.example:80/lib/a insecure',
      'mirror all.example/hub/library/a',
      'mirror tags.example:8080/t/library/a insecure',
      'docker.io/library/a',
    ]);
    expect(listed('quay.io/a', 'digest', conf, mirrors)).toEqual(['mirror third.example/a', 'quay.io/a']);
    const lost = (): unknown => listed('quay.io/a', 'tag', conf, [{ of: 'quay.io', at: 'nohost' }]);
    expect(lost).toThrow(/^--registry-mirror leads quay.io\/a to "nohost\/a"/);
  });

  it('a host as a whole, for logins', async () => {
    const conf = await sharedConf();
    expect(mayBeInsecure({ host: 'moved.example', repository: '' }, conf)).toBe(false);
    expect(mayBeInsecure({ host: 'moved.example', repository: 'team/app' }, conf)).toBe(true);
    for (const host of ['bad.example', 'unreachable.example'])
      expect(() => mayBeInsecure({ host, repository: '' }, conf)).toThrow(/is blocked/);
  });
});

describe('a short name', () => {
  it.each([
    ['fedora', 'registry.fedoraproject.org/fedora:latest'],
    ['fedora:41', 'registry.fedoraproject.org/fedora:41'],
    ['suse/leap', 'registry.opensuse.org/opensuse/leap:latest'],
    ['hub', 'docker.io/some/hub:latest'],
    ['docker.io/library/fedora', 'docker.io/library/fedora:latest'],
    ['library/fedora', 'docker.io/library/fedora:latest'],
    ['localhost/fedora', 'localhost/fedora:latest'],
    ['other.org/fedora', 'other.org/fedora:latest'],
    ['myapp', 'docker.io/library/myapp:latest'],
    ['gone', 'somewhere.example/gone:latest'],
    ['constructor', 'docker.io/library/constructor:latest'],
  ])('%s means %s', async (name, full) => {
    expect(formatReference(meaningOf(name, await sharedConf()))).toBe(full);
  });

  it('keeps its digest', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    expect(formatReference(meaningOf(`fedora@${digest}`, await sharedConf()))).toBe(
      `registry.fedoraproject.org/fedora@${digest}`,
    );
  });
});

describe('the files of registries.conf', () => {
  const rule = (location: string): string => `[[registry]]\nlocation = "${location}"\n`;
  const prefixes = async (env?: Record<string, string>): Promise<string[]> =>
    (await read(env)).rules.map(({ prefix }) => prefix);

  it('may all be absent', async () => {
    expect(await read()).toEqual({ rules: [], aliases: new Map() });
  });

  it("are the machine's, its drop-ins and the person's own, in the order of names", async () => {
    put('etc/registries.conf', rule('main'));
    put('etc/registries.conf.d/b.conf', rule('etc-b'));
    put('etc/registries.conf.d/a.conf', rule('etc-a'));
    put('etc/registries.conf.d/a.toml', rule('never'));
    put('home/.config/containers/registries.conf.d/a.conf', rule('own-a'));
    expect(await prefixes()).toEqual(['main', 'etc-a', 'etc-b', 'own-a']);
    const named = put('named.conf', rule('named'));
    expect(await prefixes({ CONTAINERS_REGISTRIES_CONF: named })).toEqual([
      'named',
      'etc-a',
      'etc-b',
      'own-a',
    ]);
    put('home/.config/containers/registries.conf', rule('own'));
    expect(await prefixes()).toEqual(['own', 'own-a']);
    put('xdg/containers/registries.conf', rule('xdg'));
    expect(await prefixes({ XDG_CONFIG_HOME: join(root, 'xdg') })).toEqual(['xdg']);
  });

  it('are merged: a later rule replaces one with the same prefix, an empty alias takes one away', async () => {
    mkdirSync(join(root, 'etc/registries.conf.d'), { recursive: true });
    copyFileSync(shared, join(root, 'etc/registries.conf'));
    copyFileSync(join(cases, 'drop-in.conf'), join(root, 'etc/registries.conf.d/10.conf'));
    const conf = await read();
    expect(listed('plain.example/a', 'tag', conf)).toEqual(['replaced.example/a']);
    expect(listed('added.example/a', 'tag', conf)).toEqual(['added.example/a insecure']);
    expect(conf.rules.filter(({ prefix }) => prefix === 'plain.example')).toHaveLength(1);
    expect(['gone', 'new', 'fedora'].map((name) => meaningOf(name, conf).host)).toEqual([
      'docker.io',
      'added.example',
      'registry.fedoraproject.org',
    ]);
  });

  it.each([
    ['[[registry]]\nlocation = "a"\nlocation', /line \d+, column \d+ is no TOML$/],
    ['[[registry]]\nprefix = "a"', /a \[\[registry\]\] has no location$/],
    ['[[registry]]\nlocation = "https://a.example"', /location = "https:\/\/a.example" has a scheme/],
    ['[[registry]]\nlocation = 3', /location is not a text$/],
    ['[[registry]]\nlocation = "a"\nblocked = "yes"', /blocked is not true or false$/],
    ['[registry]\nlocation = "a"', /registry is not a list: write \[\[registry\]\]$/],
    ['[[registry]]\nlocation = "a"\n[[registry.mirror]]\ninsecure = true', /mirror\]\] has no location$/],
    [
      '[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "some"',
      /pull-from-mirror is "some", and not one of all, digest-only, tag-only$/,
    ],
    ['[registries.search]\nregistries = ["docker.io"]', /it is of version 1/],
    ['aliases = "x"', /aliases is not a table$/],
  ])('are refused where they are wrong: %j', async (text, message) => {
    const file = put('etc/registries.conf', text);
    const attempt = read();
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toMatchObject({
      code: 'registry',
      message: expect.stringContaining(`${file}: `),
    });
  });

  it('that are named must be there', async () => {
    const missing = join(root, 'missing.conf');
    await expect(read({ CONTAINERS_REGISTRIES_CONF: missing })).rejects.toThrow(
      `${missing}: it cannot be read (ENOENT)`,
    );
  });
});
