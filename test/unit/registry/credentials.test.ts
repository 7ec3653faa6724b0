import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunOutside, runDirectly } from '../../../src/registry/credential-helper.ts';
import {
  type Credentials,
  type CredentialsOptions,
  openCredentials,
} from '../../../src/registry/credentials.ts';

const folder = mkdtempSync(join(tmpdir(), 'credentials-'));
afterAll(() => rmSync(folder, { recursive: true }));
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(folder, 'home-'));
});

const encoded = (pair: string): string => Buffer.from(pair).toString('base64');
const entry = (pair: string): { auth: string } => ({ auth: encoded(pair) });
const password = (username: string, secret: string): object => ({
  type: 'password',
  username,
  password: secret,
});

function open(options: Partial<CredentialsOptions> = {}): Credentials {
  const none: RunOutside = async () => Promise.reject(new Error('no helper was expected'));
  return openCredentials({ env: {}, place: { home, runtimeDir: undefined }, runOutside: none, ...options });
}

function write(path: string, content: object): string {
  const file = join(home, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, JSON.stringify(content));
  return file;
}

describe('where secrets are found', () => {
  it('nowhere: nobody', async () => {
    expect(await open().find('h.org', 'a/b')).toBeUndefined();
  });

  it('under a path that ends like an address of the API: nobody above it', async () => {
    write('.docker/config.json', {
      auths: { 'h.org/team/v1': entry('narrow:x'), 'https://other.org/v1/': entry('whole:x') },
    });
    expect(await open().find('h.org', 'team/app')).toBeUndefined();
    expect(await open().find('h.org', 'team/v1/app')).toEqual(password('narrow', 'x'));
    expect(await open().find('other.org', 'team/app')).toEqual(password('whole', 'x'));
  });

  it('in order: --creds, --authfile alone, DOCKER_AUTH_CONFIG, REGISTRY_AUTH_FILE, docker, containers, .dockercfg', async () => {
    const auths = (name: string): object => ({ auths: { 'h.org': entry(`${name}:x`) } });
    write('.dockercfg', { 'h.org': entry('dockercfg:x') });
    const user = async (options: Partial<CredentialsOptions> = {}): Promise<unknown> =>
      (await open(options).find('h.org')) as { username?: string } | undefined;
    expect(await user()).toMatchObject({ username: 'dockercfg' });
    write('.config/containers/auth.json', auths('config'));
    expect(await user()).toMatchObject({ username: 'config' });
    write('run/containers/auth.json', auths('runtime'));
    const place = { home, runtimeDir: join(home, 'run') };
    expect(await user({ place })).toMatchObject({ username: 'runtime' });
    write('.docker/config.json', auths('docker'));
    expect(await user({ place })).toMatchObject({ username: 'docker' });
    write('elsewhere/config.json', auths('dockerconfig'));
    const env: Record<string, string> = { DOCKER_CONFIG: join(home, 'elsewhere') };
    expect(await user({ place, env })).toMatchObject({ username: 'dockerconfig' });
    env.REGISTRY_AUTH_FILE = write('registry.json', auths('registry'));
    expect(await user({ place, env })).toMatchObject({ username: 'registry' });
    env.DOCKER_AUTH_CONFIG = JSON.stringify(auths('variable'));
    expect(await user({ place, env })).toMatchObject({ username: 'variable' });
    const authFile = write('own.json', auths('authfile'));
    expect(await user({ place, env, authFile })).toMatchObject({ username: 'authfile' });
    expect(await open({ env, authFile }).find('other.org')).toBeUndefined();
    expect(await user({ place, env, authFile, creds: 'me:a:b' })).toEqual(password('me', 'a:b'));
  });

  it('under the most specific path, never under a sibling', async () => {
    const keys = ['h.org', 'h.org/ns', 'h.org/ns/user/img', 'h.org/other', 'h.org:5000'];
    write('.docker/config.json', {
      auths: Object.fromEntries(keys.map((key) => [key, entry(`${key}|:x`.replace(':5', '_5'))])),
    });
    const who = async (host: string, repository?: string): Promise<string | undefined> =>
      ((await open().find(host, repository)) as { username?: string } | undefined)?.username;
    expect(await who('h.org', 'ns/user/img')).toBe('h.org/ns/user/img|');
    expect(await who('h.org', 'ns/user/image')).toBe('h.org/ns|');
    expect(await who('h.org', 'nsx')).toBe('h.org|');
    expect(await who('h.org')).toBe('h.org|');
    expect(await who('h.org:5000', 'ns')).toBe('h.org_5000|');
    expect(await who('h.org:5001', 'ns')).toBeUndefined();
    for (const alike of ['h.org.evil', 'xh.org', 'h.or', 'h-org'])
      expect(await who(alike, 'ns')).toBeUndefined();
  });

  it.each(['https://index.docker.io/v1/', 'docker.io', 'index.docker.io', 'registry-1.docker.io'])(
    'for Docker Hub under %s',
    async (key) => {
      write('.docker/config.json', { auths: { [key]: entry('me:x') } });
      expect(await open().find('docker.io', 'library/alpine')).toEqual(password('me', 'x'));
    },
  );

  it('in every form that an entry has', async () => {
    const auths = {
      'colons.org': entry('me:a:b:c'),
      'nul.org': entry('me:x\0\0'),
      'plain.org': { username: 'me', password: 'x' },
      'identity.org': { ...entry('00000000-0000-0000-0000-000000000000:'), identitytoken: 'it' },
      'registry.org': { registrytoken: 'rt' },
      'empty.org': {},
      'https://scheme.org/v2/': entry('me:x'),
    };
    write('.docker/config.json', { auths });
    const find = (host: string): Promise<unknown> => open().find(host);
    expect(await find('colons.org')).toEqual(password('me', 'a:b:c'));
    expect(await find('nul.org')).toEqual(password('me', 'x'));
    expect(await find('plain.org')).toEqual(password('me', 'x'));
    expect(await find('identity.org')).toMatchObject({ type: 'identity', token: 'it' });
    expect(await find('registry.org')).toEqual({ type: 'access', token: 'rt' });
    expect(await find('empty.org')).toBeUndefined();
    expect(await find('scheme.org')).toEqual(password('me', 'x'));
  });

  it('and a file that cannot be understood is named, without its content', async () => {
    const authFile = join(home, 'broken.json');
    writeFileSync(authFile, '{"auths": {"h": {"auth": "c2VjcmV0"');
    const attempt = open({ authFile }).find('h.org');
    await expect(attempt).rejects.toThrow(
      `${authFile} does not hold a JSON object: line 1, column 36 is no JSON`,
    );
    expect(await attempt.catch((error: Error) => String(error.cause))).toBe('undefined');
    const env = { DOCKER_AUTH_CONFIG: 'c2VjcmV0' };
    await expect(open({ env }).find('h.org')).rejects.toThrow(/^DOCKER_AUTH_CONFIG does not/);
    await expect(open({ authFile: join(home, 'none.json') }).find('h.org')).rejects.toThrow(/ENOENT/);
    await expect(open({ creds: 'nocolon' }).find('h.org')).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('a file that cannot be used is named', () => {
  const fault = (text: string): Promise<string> => {
    const authFile = join(home, 'broken.json');
    writeFileSync(authFile, text);
    const found = open({ authFile }).find('h.org', 'ns');
    return found.then(String, (error: Error) => error.message.replace(authFile, 'FILE'));
  };
  const cases: [string, string][] = [
    ['{"auths": {"h.org": {"auth": "c2VjcmV0"', 'line 1, column 40'],
    ['{\n  "auths": c2VjcmV0 }', 'line 2, column 12'],
    ['{"auths": {\n"h.org": }}', 'line 2, column 10'],
    ['{"auths": {}} c2VjcmV0', 'line 1, column 15'],
    ['c2VjcmV0', 'line 1, column 1'],
  ];
  it.each(cases)('%j by the place', async (text, place) => {
    expect(await fault(text)).toBe(`FILE does not hold a JSON object: ${place} is no JSON`);
  });

  it('by the entry that was asked for, and by no other', async () => {
    const broken = { auth: encoded('c2VjcmV0') };
    const said = 'in FILE, "auth" of h.org is not the base64 of USER:PASSWORD';
    expect(await fault(JSON.stringify({ auths: { 'h.org': broken } }))).toBe(said);
    const others = { 'h.org/ns': entry('me:x'), 'other.org': broken, 'h.org': broken };
    expect(await fault(JSON.stringify({ auths: others }))).toBe('[object Object]');
    expect(await fault('[]')).toBe('FILE does not hold a JSON object');
    expect(await fault('')).toBe('undefined');
  });

  it('by why it cannot be read', async () => {
    mkdirSync(join(home, '.docker/config.json'), { recursive: true });
    await expect(open().find('h.org')).rejects.toThrow(/config\.json cannot be read \(EISDIR\)$/);
    await expect(open({ authFile: join(home, 'none.json') }).find('h.org')).rejects.toThrow(/ENOENT/);
  });

  it.skipIf(process.geteuid?.() !== 0)('unless it lies in a folder of another', async () => {
    const file = write('.docker/config.json', { auths: { 'h.org': entry('me:x') } });
    chmodSync(file, 0o600);
    const asNobody = async (): Promise<unknown> => {
      process.seteuid!(65534);
      try {
        return await open().find('h.org');
      } finally {
        process.seteuid!(0);
      }
    };
    for (const above of [folder, home]) chmodSync(above, 0o755);
    chmodSync(join(home, '.docker'), 0o700);
    expect(await asNobody()).toBeUndefined();
    chmodSync(join(home, '.docker'), 0o755);
    await expect(asNobody()).rejects.toThrow(/cannot be read \(EACCES\)/);
  });
});

describe('the variables of a CI job', () => {
  const gitlab = {
    CI_REGISTRY: 'gitlab.test:5050',
    CI_REGISTRY_USER: 'ci',
    CI_REGISTRY_PASSWORD: 'job',
    CI_DEPENDENCY_PROXY_SERVER: 'gitlab.test:443',
    CI_DEPENDENCY_PROXY_USER: 'proxy',
    CI_DEPENDENCY_PROXY_PASSWORD: 'dependency',
  };
  const github = { GITHUB_ACTOR: 'octo', GITHUB_TOKEN: 'gh' };
  const cases: [string, Record<string, string>, object | undefined][] = [
    ['gitlab.test:5050', gitlab, password('ci', 'job')],
    ['gitlab.test:443', gitlab, password('proxy', 'dependency')],
    ['gitlab.test', gitlab, undefined],
    ['gitlab.test:5051', gitlab, undefined],
    [
      'gitlab.test:5050',
      { CI_REGISTRY: 'gitlab.test:5050', CI_JOB_TOKEN: 'j' },
      password('gitlab-ci-token', 'j'),
    ],
    [
      'gitlab.test:5050',
      { CI_REGISTRY_USER: 'ci', CI_REGISTRY_PASSWORD: 'job', CI_JOB_TOKEN: 'j' },
      undefined,
    ],
    ['ghcr.io', github, password('octo', 'gh')],
    ['ghcr.io:443', github, undefined],
    ['docker.io', { ...gitlab, ...github }, undefined],
    ['xghcr.io', github, undefined],
    ['ghcr.io', { GITHUB_TOKEN: 'gh' }, undefined],
  ];
  it.each(cases)('%s with %j', async (host, env, expected) => {
    expect(await open({ env }).find(host, 'ns')).toEqual(expected);
  });

  it('come after every file, and not beside --authfile', async () => {
    const own = { auths: { 'ghcr.io': entry('file:x') } };
    expect(
      await open({ env: { ...github, DOCKER_AUTH_CONFIG: JSON.stringify(own) } }).find('ghcr.io'),
    ).toEqual(password('file', 'x'));
    expect(await open({ env: github, authFile: write('empty.json', {}) }).find('ghcr.io')).toBeUndefined();
  });
});

it('--creds is shown to the registries that are named, and to no other', async () => {
  const credentials = open({ creds: 'me:x', credsHosts: ['h.org:5000'] });
  write('.docker/config.json', { auths: { 'other.org': entry('file:y') } });
  expect(await credentials.find('h.org:5000', 'ns')).toEqual(password('me', 'x'));
  expect(await credentials.find('h.org')).toBeUndefined();
  expect(await credentials.find('other.org')).toEqual(password('file', 'y'));
});

describe('credential helpers', () => {
  /** Puts a shell script in the place of docker-credential-<name>. */
  const helper = (name: string, script: string): RunOutside => {
    const file = join(home, `docker-credential-${name}`);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return ([program = '', ...args], ...rest) => runDirectly([join(home, program), ...args], ...rest);
  };
  const answer = (username: string, secret: string): string =>
    `read -r server; printf '{"ServerURL":"%s","Username":"${username}","Secret":"${secret}"}' "$server"`;

  it('are asked with the server on stdin, and win over auths of their file', async () => {
    write('.docker/config.json', { credsStore: 'test', auths: { 'h.org': entry('file:x') } });
    const script = `read -r server; printf '{"ServerURL":"","Username":"%s","Secret":"got"}' "$1 $server"`;
    expect(await open({ runOutside: helper('test', script) }).find('h.org')).toEqual(
      password('get h.org', 'got'),
    );
    expect(await open({ runOutside: helper('test', script) }).find('docker.io')).toEqual(
      password('get https://index.docker.io/v1/', 'got'),
    );
  });

  it('of one host win over the general one', async () => {
    write('.docker/config.json', { credsStore: 'none', credHelpers: { 'h.org': 'own' } });
    expect(await open({ runOutside: helper('own', answer('me', 'x')) }).find('h.org')).toEqual(
      password('me', 'x'),
    );
  });

  it('give identity tokens', async () => {
    write('.docker/config.json', { credsStore: 'test' });
    const found = await open({ runOutside: helper('test', answer('<token>', 'it')) }).find('h.org');
    expect(found).toEqual({ type: 'identity', username: '<token>', token: 'it' });
  });

  it('that know nothing let the search go on', async () => {
    write('.docker/config.json', { credsStore: 'test', auths: { 'h.org': entry('file:x') } });
    const runOutside = helper('test', 'echo "credentials not found in native keychain"; exit 1');
    expect(await open({ runOutside }).find('h.org')).toEqual(password('file', 'x'));
    expect(await open({ runOutside }).find('other.org')).toBeUndefined();
  });

  it('that fail are named, without anything that they said', async () => {
    write('.docker/config.json', { credsStore: 'test' });
    const find = (script: string): Promise<unknown> =>
      open({ runOutside: helper('test', script) }).find('h.org');
    for (const leaky of [
      `printf '{"Username":"me","Secret":"s3cret"}'; exit 3`,
      'echo "the password s3cret is too old"; exit 3',
      'echo "s3cret" >&2; exit 3',
    ]) {
      const told = await find(leaky).catch((error: unknown) =>
        inspect(error, { depth: 9, showHidden: true }),
      );
      expect(told).toMatch(/docker-credential-test get failed with exit code 3\n/);
      expect(told).not.toContain('s3cret');
    }
    await expect(find(`printf '{"Username":"me","Secret":"s3cret"'`)).rejects.toThrow(
      /answered something unreadable$/,
    );
  });

  it('that hang are given up, with what they started', async () => {
    write('.docker/config.json', { credsStore: 'test' });
    const pid = join(home, 'pid');
    const runOutside = helper('test', `sleep 1000 & echo $! >'${pid}'; wait`);
    await expect(open({ runOutside, helperLimitMs: 500 }).find('h.org')).rejects.toThrow(
      'docker-credential-test get did not end within 0.5 s',
    );
    process.kill(Number(readFileSync(pid, 'utf8')));
  });

  it('that are not installed are named', async () => {
    write('.docker/config.json', { credsStore: 'surely-not-there' });
    await expect(open({ runOutside: runDirectly }).find('h.org')).rejects.toThrow(
      /configured but not installed/,
    );
  });

  it('cannot be a path', async () => {
    write('.docker/config.json', { credsStore: '../../evil' });
    await expect(open().find('h.org')).rejects.toThrow(/name that no program can have/);
  });

  it('keep and erase logins', async () => {
    const file = write('.docker/config.json', { credsStore: 'test' });
    const runOutside = helper('test', `{ echo "$*"; cat; echo; } >> ${join(home, 'calls')}`);
    const credentials = open({ runOutside });
    expect(await credentials.writeLogin('h.org', 'me', 's3cret')).toBe('docker-credential-test');
    expect(readFileSync(file, 'utf8')).not.toContain('s3cret');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ credsStore: 'test', auths: { 'h.org': {} } });
    expect(await credentials.removeLogin('h.org')).toBe(true);
    const stored = '{"ServerURL":"h.org","Username":"me","Secret":"s3cret"}';
    expect(readFileSync(join(home, 'calls'), 'utf8')).toBe(`store\n${stored}\nerase\nh.org\n`);
  });
});

describe('a login', () => {
  it('is kept with mode 0600, beside everything else in the file', async () => {
    const file = write('.docker/config.json', {
      HttpHeaders: { a: 'b' },
      auths: { 'other.org': entry('a:b') },
    });
    chmodSync(file, 0o644);
    expect(await open().writeLogin('h.org', 'me', 'x:y')).toBe(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
      HttpHeaders: { a: 'b' },
      auths: { 'other.org': entry('a:b'), 'h.org': entry('me:x:y') },
    });
    expect(await open().find('h.org')).toEqual(password('me', 'x:y'));
    expect(await open().removeLogin('h.org')).toBe(true);
    expect(await open().removeLogin('h.org')).toBe(false);
    expect(await open().find('h.org')).toBeUndefined();
    expect(await open().find('other.org')).toEqual(password('a', 'b'));
  });

  it('makes folder and file, through a symbolic link where the file is one', async () => {
    expect(await open().writeLogin('docker.io', 'me', 'x')).toBe(join(home, '.docker/config.json'));
    const made = JSON.parse(readFileSync(join(home, '.docker/config.json'), 'utf8')) as { auths: object };
    expect(Object.keys(made.auths)).toEqual(['https://index.docker.io/v1/']);
    const real = write('real.json', {});
    symlinkSync(real, join(home, 'link.json'));
    await open({ authFile: join(home, 'link.json') }).writeLogin('h.org', 'me', 'x');
    expect(readFileSync(real, 'utf8')).toContain('h.org');
  });

  it('is forgotten in every spelling', async () => {
    write('.docker/config.json', {
      auths: { 'https://h.org/v1/': entry('a:b'), 'h.org': {}, 'h.org/ns': entry('c:d') },
    });
    expect(await open().removeLogin('h.org')).toBe(true);
    expect(await open().find('h.org', 'ns')).toEqual(password('c', 'd'));
    expect(await open().find('h.org')).toBeUndefined();
  });
});
