import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkPaths, parseAllowed } from '../../../src/cli/bake-paths.ts';
import { targetOptions } from '../../../src/cli/bake-target.ts';
import type { Host } from '../../../src/cli/host.ts';
import type { Settings } from '../../../src/commands/bake.ts';
import { BuildError } from '../../../src/core/errors.ts';

let cwd: string;
const allow: string[] = [];

beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'bake-'));
  mkdirSync(join(cwd, 'app'));
  writeFileSync(join(cwd, 'app/Dockerfile'), 'FROM scratch');
  writeFileSync(join(cwd, 'secret'), 'x');
});

const optionsOf = (settings: Settings) => {
  const host = {
    cwd,
    env: { TOKEN: 't', SSH_AUTH_SOCK: '/agent' },
    isTerminal: () => false,
  } as unknown as Host;
  return targetOptions('app', settings, { host, forAll: { allow } });
};

describe('a target', () => {
  it('is what the same flags of build are', () => {
    const options = optionsOf({
      context: 'app',
      args: { A: '1', B: null },
      labels: { l: 'v' },
      tags: ['me/app'],
      platforms: ['linux/arm64'],
      secret: [
        { id: 'a', src: 'secret' },
        { id: 'b', env: 'TOKEN' },
      ],
      'cache-from': [{ type: 'registry', ref: 'me/app:cache' }],
      output: [{ type: 'local', dest: 'out' }],
      contexts: { lib: 'target:lib', src: 'app', image: 'docker-image://alpine' },
      'no-cache-filter': ['build'],
      'extra-hosts': { db: '10.0.0.1' },
      ulimits: ['nofile=10:20'],
      network: 'none',
      attest: [
        { type: 'provenance', mode: 'max' },
        { type: 'sbom', disabled: 'true' },
      ],
      pull: true,
    });
    expect(options).toMatchObject({
      context: join(cwd, 'app'),
      file: join(cwd, 'app/Dockerfile'),
      buildArgs: { A: '1' },
      labels: { l: 'v' },
      tags: ['me/app'],
      platforms: [{ os: 'linux', architecture: 'arm64' }],
      secrets: [
        { id: 'a', file: join(cwd, 'secret') },
        { id: 'b', env: 'TOKEN' },
      ],
      cacheFrom: [{ type: 'registry', name: 'me/app:cache' }],
      outputs: [{ type: 'local', dest: join(cwd, 'out') }],
      contexts: { lib: 'target:lib', src: join(cwd, 'app'), image: 'docker-image://alpine' },
      noCache: ['build'],
      addHosts: ['10.0.0.1 db'],
      ulimits: ['nofile=10:20'],
      network: 'none',
      attest: { provenance: { mode: 'max' } },
      pull: 'always',
    });
    expect(options.attest.sbom).toBeUndefined();
  });

  it('has its Containerfile in its context, or in the file itself', () => {
    expect(optionsOf({ context: '.', dockerfile: 'x/D' }).file).toBe(join(cwd, 'x/D'));
    expect(optionsOf({ context: '.' }).file).toBeUndefined();
    expect(optionsOf({ context: 'app', dockerfile: 'cwd://D' }).file).toBe(join(cwd, 'D'));
    expect(optionsOf({ context: 'https://example.com/r.git', dockerfile: './a/../D' }).file).toBe('D');
    expect(optionsOf({ 'dockerfile-inline': 'FROM scratch' }).inline).toEqual({
      file: 'app (dockerfile-inline)',
      text: 'FROM scratch',
    });
  });

  it.each<[Settings, object]>([
    [
      { tags: ['a'], output: [{ type: 'image', push: 'true' }] },
      { tags: ['a'], outputs: [{ type: 'registry', names: ['a'] }] },
    ],
    [
      { tags: ['a'], output: [{ type: 'image', name: 'b,c' }] },
      { tags: ['a', 'b', 'c'], outputs: [] },
    ],
    [
      { tags: ['a'], output: [{ type: 'cacheonly' }] },
      { tags: [], outputs: [] },
    ],
    [
      { tags: ['a'], output: [{ type: 'docker' }] },
      { tags: ['a'], outputs: [{ type: 'load' }] },
    ],
  ])('goes where its outputs say: %j', (settings, wanted) => {
    expect(optionsOf(settings)).toMatchObject(wanted);
  });

  it.each<[Settings, string, string]>([
    [{ context: '-' }, 'context', 'target app: the context of a target cannot come from stdin'],
    [{ platforms: ['x'] }, 'usage', "target app: --platform 'x' is not a platform"],
    [{ entitlements: ['security.insecure'] }, 'denied', 'target app: it asks for security.insecure'],
    [{ output: [{ type: 'oic' }] }, 'usage', "target app: -o does not know the type 'oic'"],
  ])('is refused by its name: %j', (settings, code, message) => {
    const wanted = expect.objectContaining({ code, message });
    expect(() => optionsOf(settings)).toThrow(wanted as unknown as Error);
  });
});

describe('a path of a target', () => {
  let isForeign = false;
  const check = (settings: Settings, allowed: readonly string[] = [], set: readonly string[] = []) =>
    checkPaths('app', optionsOf(settings), {
      ...{ cwd, allowed: parseAllowed(allowed), set, isForeign, agent: '/agent' },
    });

  it.each<[Settings, string]>([
    [{ context: '..' }, 'read ..'],
    [{ context: 'cwd:///etc' }, 'read /etc'],
    [{ context: 'dir:///etc' }, 'read /etc'],
    [{ dockerfile: '/etc/passwd' }, 'read /etc/passwd'],
    [{ dockerfile: 'cwd:///etc/passwd' }, 'read /etc/passwd'],
    [{ context: 'app', dockerfile: '../../x' }, 'read ../x'],
    [{ contexts: { a: '/etc' } }, 'read /etc'],
    [{ contexts: { 'a=/etc/': 'x/y/../..' } }, 'read /etc'],
    [{ contexts: { a: 'oci-layout:///etc:x' } }, 'read /etc'],
    [{ secret: [{ id: 'x', src: '/etc/passwd' }] }, 'read /etc/passwd'],
    [{ secret: [{ id: 'x', source: '/etc/passwd' }] }, 'read /etc/passwd'],
    [{ secret: [{ id: '/etc/passwd' }] }, 'read /etc/passwd'],
    [{ ssh: [{ id: 'x', paths: ['/etc/passwd'] }] }, 'read /etc/passwd'],
    [{ ssh: [{ id: 'x=/etc/passwd' }] }, 'read /etc/passwd'],
    [{ 'cache-from': [{ type: 'local', src: '/cache' }] }, 'read /cache'],
    [{ output: [{ type: 'local', dest: '../out' }] }, 'write ../out'],
    [{ 'cache-to': [{ type: 'local', dest: '/cache' }] }, 'write /cache'],
  ])('leads nowhere outside of the folder: %j', (settings, what) => {
    expect(() => check(settings)).toThrow(`target app: it would ${what}, outside of the current folder`);
  });

  it('is judged by where its links lead', () => {
    symlinkSync('/etc', join(cwd, 'link'));
    expect(() => check({ context: 'link' })).toThrow('it would read link');
    expect(() => check({ output: [{ type: 'local', dest: 'link/new/out' }] })).toThrow(
      'it would write link/new/out',
    );
    symlinkSync('/nowhere/at/all', join(cwd, 'dangling'));
    expect(() => check({ output: [{ type: 'tar', dest: 'dangling' }] })).toThrow('it would write dangling');
  });

  it('may lead where the command line says', () => {
    check({ context: '..' }, ['fs.read=..']);
    check({ output: [{ type: 'local', dest: '/out' }] }, ['fs=*']);
    check({ context: '..' }, [], ['app.context=..']);
    check({
      context: './app',
      contexts: { a: 'https://example.com/x.git', b: 'docker-image://a', c: 'target:x' },
    });
    expect(() => check({ context: '..' }, ['fs.write=..'])).toThrow(BuildError);
    expect(() => check({ context: '/' }, [], ['app.tags=example.com/app'])).toThrow('it would read /');
  });

  it('of a definition that was fetched leads nowhere on this machine', () => {
    isForeign = true;
    expect(() => check({ context: 'cwd://app' })).toThrow('it would read app on this machine');
    check({ context: 'https://example.com/x.git' });
    check({ context: 'cwd://app' }, ['fs.read=app']);
    isForeign = false;
  });

  it('may be an agent only where the command line says so', () => {
    const ssh = [{ id: 'default' }];
    expect(() => check({ ssh })).toThrow('target app: it would use your ssh agent');
    check({ ssh }, ['ssh']);
    check({ ssh }, [], ['app.ssh=default']);
  });

  it('is none that the flag does not know', () => {
    expect(() => parseAllowed(['fs.exec=/'])).toThrow("--allow does not know 'fs.exec=/'");
  });
});
