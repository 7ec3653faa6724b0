import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { makeCertificates } from '../support/certificates.ts';
import { must } from '../support/programs.ts';
import { type ProxyServer, startProxyServer } from '../support/proxy-server.ts';
import { hasRegistryServer, type RegistryServer, startRegistryServer } from '../support/registry-server.ts';
import { isRoot, skip } from '../support/skips.ts';
import { startTokenServer, type TokenServer } from '../support/token-server.ts';
import { loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

const login = { user: 'somebody', password: 'correct-horse-7' };
const proxyLogin = 'through:letmepass9';
const pair = Buffer.from(`${login.user}:${login.password}`).toString('base64');
const base = 'localhost/tsbuild-test/busybox:1';
const needs = { programs: ['skopeo', 'busybox', 'openssl'] };
const isSkipped = skip('a registry behind a proxy', needs) || !hasRegistryServer();

/** Names that only the proxy knows: who gets there went through it. */
const names = ['registry.test', 'auth.test'] as const;

describe.skipIf(isSkipped)('a private registry with its own authority, behind a proxy', () => {
  let tsbuild: AsyncDisposable & Tsbuild;
  let registry: RegistryServer;
  let tokens: TokenServer;
  let proxy: ProxyServer;
  let env: Record<string, string>;

  beforeAll(async () => {
    tsbuild = await newTsbuild(isRoot ? 'user' : 'root');
    const { folder } = tsbuild;
    const pem = makeCertificates(join(folder, 'pem'), names);
    const service = { service: 'test', issuer: 'tests' };
    tokens = await startTokenServer({ ...pem, ...service, ...login, seconds: 60, tlsName: names[1] });
    registry = await startRegistryServer({
      tls: pem,
      token: { ...service, realm: tokens.realm, rootCert: pem.cert },
    });
    proxy = await startProxyServer({ login: proxyLogin });
    for (const name of ['home', 'context', 'certificates']) mkdirSync(join(folder, name));
    copyFileSync(pem.ca, join(folder, 'certificates/ca.crt'));
    writeFileSync(join(folder, 'context/Containerfile'), `FROM ${base}\nCOPY Containerfile /file\n`);
    await tsbuild.give(folder);
    await loadBases(tsbuild, [await busyboxBase()]);
    const address = `http://${proxyLogin}@${proxy.host}`;
    const auths = { [`${names[0]}:${registry.port}`]: { auth: pair } };
    env = {
      HOME: join(folder, 'home'),
      DOCKER_AUTH_CONFIG: JSON.stringify({ auths }),
      ...{ https_proxy: address, HTTPS_PROXY: address, no_proxy: '', NO_PROXY: '' },
    };
  });
  afterAll(async () => {
    await proxy?.stop();
    await registry?.stop();
    await tokens?.stop();
    await tsbuild?.[Symbol.asyncDispose]();
  });

  it('is pushed to and pulled from with an empty home and DOCKER_AUTH_CONFIG alone; no secret is told', async () => {
    const name = `${names[0]}:${registry.port}/team/app:1`;
    const certificates = ['--cert-dir', 'certificates'];
    const build = ['build', '--debug', '-t', name, '--push', '--metadata-file', 'metadata', 'context'];
    const pushed = await tsbuild.run([...build, ...certificates], { env });
    expect(pushed.code, pushed.stderr).toBe(0);
    const metadata = readFileSync(join(tsbuild.folder, 'metadata'), 'utf8');
    const { 'containerimage.digest': digest } = JSON.parse(metadata) as Record<string, string>;
    expect(await digestFor(name)).toBe(digest);
    const pulled = await tsbuild.run(['pull', '--root', 'empty', ...certificates, name], { env });
    expect(pulled.code, pulled.stderr).toBe(0);

    const hosts = new Set(proxy.asked.map((line) => line.replace(/:\d+$/, '')));
    expect([...hosts].sort()).toEqual(names.map((host) => `CONNECT ${host}`).sort());
    const through = `Basic ${Buffer.from(proxyLogin).toString('base64')}`;
    expect(new Set(proxy.authorizations)).toEqual(new Set([through]));
    expect(new Set(tokens.authorizations)).toEqual(new Set([`Basic ${pair}`]));

    const all = [pushed.stdout, pushed.stderr, pulled.stdout, pulled.stderr, metadata].join('\n');
    for (const secret of [login.password, pair, 'letmepass9', through.slice(6)])
      expect(all).not.toContain(secret);
    expect(readdirSync(env.HOME!)).toEqual([]);
  });

  it('holds the cache of a build on an empty store: no step runs, and kilobytes are moved', async () => {
    const image = (name: string): string => `${names[0]}:${registry.port}/${name}`;
    const certificates = ['--cert-dir', 'certificates'];
    mkdirSync(join(tsbuild.folder, 'cached'));
    const text = `FROM ${image('base:1')}\nRUN head -c 300000 /dev/urandom > /made\nCOPY Containerfile /file\n`;
    writeFileSync(join(tsbuild.folder, 'cached/Containerfile'), text);
    await tsbuild.give(join(tsbuild.folder, 'cached'));
    await tsbuild.must(['push', ...certificates, base, image('base:1')], { env });
    const build = (...flags: string[]) =>
      tsbuild.run(['build', '--progress', 'plain', ...certificates, ...flags, 'cached'], { env });
    const first = await build('-t', image('team/cached:1'), '--push', '--cache-to', image('team/cache'));
    expect(first.code, first.stderr).toBe(0);
    const flags = [
      '--root',
      'nothing',
      '-t',
      image('team/cached:2'),
      '--push',
      '--cache-from',
      image('team/cache'),
    ];
    const second = await build(...flags);
    expect(second.code, second.stderr).toBe(0);
    expect(second.stderr).not.toContain('RUN uses');
    expect(second.stderr).toMatch(
      /FINISHED 3 steps, 2 cached in \S+, received [\d.]+k?B(?:, sent [\d.]+k?B)?$/m,
    );
    expect(second.stdout).toBe(first.stdout);
    expect(await digestFor(image('team/cached:2'))).toBe(await digestFor(image('team/cached:1')));
  });

  it('says what is missing: the login, the authority, the proxy', async () => {
    const name = `${names[0]}:${registry.port}/team/app:1`;
    const pull = (args: readonly string[], changed: Record<string, string>) =>
      tsbuild.run(['pull', '--root', 'empty', '--retry', '0', ...args, name], {
        env: { ...env, ...changed },
      });
    const cases = [
      [
        ['--cert-dir', 'certificates'],
        { DOCKER_AUTH_CONFIG: '{"auths":{' },
        /DOCKER_AUTH_CONFIG does not hold a JSON/,
      ],
      [[], {}, /certificate is not trusted/],
      [
        ['--cert-dir', 'certificates'],
        { https_proxy: `http://${proxy.host}` },
        /proxy asks for a user and password/,
      ],
      [
        ['--cert-dir', 'certificates'],
        { no_proxy: '.test' },
        /host name is not known|could not be looked up/,
      ],
    ] as const;
    for (const [args, changed, message] of cases) {
      const { code, stderr } = await pull(args, changed);
      expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
      expect(stderr).not.toContain(login.password);
    }
  });

  /** skopeo, on the same way. */
  async function digestFor(name: string): Promise<string> {
    const creds = [
      '--creds',
      `${login.user}:${login.password}`,
      '--cert-dir',
      join(tsbuild.folder, 'certificates'),
    ];
    const inspect = ['skopeo', 'inspect', ...creds, '--format', '{{.Digest}}', `docker://${name}`];
    return (await must(inspect, { env: { ...process.env, ...env } })).trim();
  }
});
