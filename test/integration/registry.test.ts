import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import type { RegistryOptions } from '../../src/core/options.ts';
import { parseReference, type Reference } from '../../src/oci/reference.ts';
import type { Transfer } from '../../src/registry/push.ts';
import type { Pushed } from '../../src/registry/put-manifest.ts';
import { connect, type Registry } from '../../src/registry/registry.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { type FakeLayers, fakeLayers, noise } from '../support/fake-layers.ts';
import { hostileClient } from '../support/hostile-client.ts';
import { type Cargo, makeCargo, operations } from '../support/hostile-operations.ts';
import { stateOnDisk } from '../support/registry-on-disk.ts';
import {
  hasRegistryServer,
  type RegistryServer,
  type RegistryServerOptions,
  startRegistryServer,
} from '../support/registry-server.ts';
import { has } from '../support/skips.ts';
import { startTokenServer } from '../support/token-server.ts';

/** A credential helper that keeps one login in a file. */
const helperScript = (file: string): string => `#!/bin/sh
case $1 in
  store) cat >'${file}' ;;
  erase) cat; rm '${file}' ;;
  get) cat >/dev/null; cat '${file}' 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;
esac
`;

const isPossible = hasRegistryServer() && existsSync('/usr/bin/skopeo');
if (!isPossible) console.warn('skipped: the tests with a real registry need docker-registry and skopeo');

const amd64 = { os: 'linux', architecture: 'amd64' };
const login = { user: 'ann', password: 'p:w"s3cret' };

describe.skipIf(!isPossible)('a real registry', () => {
  let folder: string;
  let certificates: Certificates;
  let fake: FakeLayers;
  const running: { stop(): Promise<void> }[] = [];
  const open: Registry[] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'registry-test-'));
    certificates = makeCertificates(join(folder, 'pem'));
  });
  beforeEach(() => {
    fake = fakeLayers(mkdtempSync(join(folder, 'blobs-')));
  });
  afterEach(async () => {
    for (const registry of open.splice(0)) await registry.close();
    for (const server of running.splice(0)) await server.stop();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const start = async (options?: RegistryServerOptions): Promise<RegistryServer> => {
    const server = await startRegistryServer(options);
    running.push(server);
    return server;
  };

  /** A person with an empty home. */
  const person = (
    options: Partial<RegistryOptions> = {},
    env: Record<string, string> = {},
    home?: string,
  ): Registry => {
    const place = { home: home ?? mkdtempSync(join(folder, 'home-')), runtimeDir: undefined };
    const defaults = { tlsVerify: true, retries: 2, retryDelayMs: 5 };
    const registry = connect({ ...defaults, ...options }, { env, place });
    open.push(registry);
    return registry;
  };

  const push = (
    registry: Registry,
    names: readonly Reference[],
    sizes: readonly number[],
  ): Promise<Pushed> => {
    const layers = sizes.map((size, i) => fake.layer(`file${i}`, noise(size, `seed${i}`)));
    return registry.push(fake.image(layers), names, { layers: fake.layers, format: 'oci' });
  };

  /** skopeo, as the judge of what arrived: it reads every blob and checks every digest. */
  const judge = (source: string, ...flags: readonly string[]): void => {
    const target = mkdtempSync(join(folder, 'judge-'));
    execFileSync('skopeo', ['copy', '-q', ...flags, `docker://${source}`, `oci:${target}:x`], {
      stdio: 'pipe',
    });
  };

  const readAll = async (chunks: AsyncIterable<Buffer>): Promise<Buffer> => {
    const all: Buffer[] = [];
    for await (const chunk of chunks) all.push(chunk);
    return Buffer.concat(all);
  };

  it('takes an image and gives it back, over plain HTTP on loopback, without a flag', async () => {
    const { host } = await start();
    const registry = person();
    const names = ['a', 'b'].map((tag) => parseReference(`${host}/some/app:${tag}`));
    const pushed = await push(registry, names, [5_000_000, 0, 10]);
    for (const tag of ['a', 'b']) judge(`${host}/some/app:${tag}`, '--src-tls-verify=false');
    const resolved = await registry.resolve(names[0]!, amd64);
    expect(resolved.digest).toBe(pushed.digest);
    expect(await registry.digest(names[1]!)).toBe(pushed.digest);
    expect(resolved.image.manifest?.bytes.equals(pushed.bytes)).toBe(true);
    for (const layer of resolved.image.layers) {
      const bytes = await readAll(await registry.fetch(layer.origins!, layer.descriptor!));
      expect(digestOf(bytes)).toBe(layer.descriptor!.digest);
    }
    expect(await registry.digest(parseReference(`${host}/some/app:none`))).toBeUndefined();
    await expect(registry.resolve(parseReference(`${host}/some/app:none`), amd64)).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('skips what the registry has, and mounts what another repository of it has', async () => {
    const { host, log } = await start();
    const registry = person();
    await push(registry, [parseReference(`${host}/first`)], [1000, 2000]);
    const uploads = (): number => (log().match(/"PUT \/v2\/[^ ]*blobs\/uploads/g) ?? []).length;
    expect(uploads()).toBe(3);
    expect(fake.packed).toHaveLength(2);
    const states: string[] = [];
    const progress = (transfer: Transfer): void =>
      void (transfer.state !== 'running' && states.push(transfer.state));
    const layers = [0, 1].map((i) => fake.layer(`file${i}`, noise((i + 1) * 1000, `seed${i}`)));
    const again = { layers: fake.layers, format: 'oci', progress } as const;
    await registry.push(fake.image(layers), [parseReference(`${host}/first:again`)], again);
    expect(states).toEqual(['exists', 'exists', 'exists']);
    await registry.push(fake.image(layers), [parseReference(`${host}/second`)], again);
    expect(states.slice(3)).toEqual(['mounted', 'mounted', 'done']);
    expect(fake.packed).toHaveLength(2);
    expect(uploads()).toBe(4);
    judge(`${host}/second:latest`, '--src-tls-verify=false');
  });

  it('keeps the manifest of an image that it pulled, byte for byte', async () => {
    const [from, to] = [await start(), await start()];
    const registry = person();
    const pushed = await push(registry, [parseReference(`${from.host}/a`)], [100]);
    const { image } = await registry.resolve(parseReference(`${from.host}/a`), amd64);
    const copied = await registry.push(image, [parseReference(`${to.host}/b`)], {
      layers: fake.layers,
      format: 'docker',
    });
    expect(copied.digest).toBe(pushed.digest);
    judge(`${to.host}/b@${pushed.digest}`, '--src-tls-verify=false');
  });

  it('writes a docker manifest that skopeo reads', async () => {
    const { host } = await start();
    const layers = [fake.layer('x', noise(50))];
    const options = { layers: fake.layers, format: 'docker' } as const;
    const pushed = await person().push(fake.image(layers), [parseReference(`${host}/d`)], options);
    expect(pushed.mediaType).toBe('application/vnd.docker.distribution.manifest.v2+json');
    judge(`${host}/d`, '--src-tls-verify=false');
  });

  it('resolves an index by platform and passes attestations over', async () => {
    const { host } = await start();
    const registry = person();
    const pushed = await push(registry, [parseReference(`${host}/multi:amd64`)], [100]);
    const entry = (platform: object, size = pushed.size): object => ({
      mediaType: pushed.mediaType,
      digest: pushed.digest,
      size,
      platform,
    });
    const type = 'application/vnd.oci.image.index.v1+json';
    const manifests = [
      entry({ os: 'unknown', architecture: 'unknown' }),
      entry({ os: 'linux', architecture: 'amd64' }),
    ];
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, manifests }));
    const url = `http://${host}/v2/multi/manifests/all`;
    const put = await fetch(url, { method: 'PUT', headers: { 'content-type': type }, body: index });
    expect(put.status).toBe(201);
    const resolved = await registry.resolve(parseReference(`${host}/multi:all`), amd64);
    expect([resolved.digest, resolved.referenceDigest]).toEqual([pushed.digest, digestOf(index)]);
    const arm = registry.resolve(parseReference(`${host}/multi:all`), { os: 'linux', architecture: 'arm64' });
    await expect(arm).rejects.toThrow(new RegExp(`^${host}/multi:all: .*linux/arm64`));
  });

  it('logs in with a user and password (Basic), and says so when they are wrong', async () => {
    const { host } = await start({ htpasswd: login });
    const nobody = person();
    await expect(push(nobody, [parseReference(`${host}/a`)], [10])).rejects.toMatchObject({ code: 'denied' });
    await expect(nobody.checkLogin(host, login.user, 'wrong')).rejects.toMatchObject({ code: 'denied' });
    await nobody.checkLogin(host, login.user, login.password);
    const home = mkdtempSync(join(folder, 'home-'));
    await person({}, {}, home).credentials.writeLogin(host, login.user, login.password);
    await push(person({}, {}, home), [parseReference(`${host}/a`)], [10]);
    await push(person({ creds: `${login.user}:${login.password}` }), [parseReference(`${host}/b`)], [10]);
    const auth = Buffer.from(`${login.user}:${login.password}`).toString('base64');
    const DOCKER_AUTH_CONFIG = JSON.stringify({ auths: { [host]: { auth } } });
    await person({}, { DOCKER_AUTH_CONFIG }).resolve(parseReference(`${host}/b`), amd64);
    judge(`${host}/a`, '--src-tls-verify=false', `--src-creds=${login.user}:${login.password}`);
  });

  /** What a program of containers says, with a home and nothing else. */
  const containers = (command: readonly string[], home: string, input = ''): string => {
    const env = { HOME: home, PATH: `${home}:${process.env.PATH}` };
    return execFileSync(command[0]!, command.slice(1), { env, input, stdio: 'pipe' }).toString().trim();
  };

  it('keeps logins where skopeo, buildah and podman find them, and finds theirs', async () => {
    const { host } = await start({ htpasswd: login });
    const name = parseReference(`${host}/a`);
    const pushed = await push(person({ creds: `${login.user}:${login.password}` }), [name], [10]);
    const inspect = [
      'skopeo',
      'inspect',
      '--tls-verify=false',
      '--format',
      '{{.Digest}}',
      `docker://${host}/a`,
    ];
    const homes = ['file', 'helper', 'theirs'].map((kind) => mkdtempSync(join(folder, `home-${kind}-`)));
    const [file, helper, theirs] = homes as [string, string, string];
    writeFileSync(join(helper, 'docker-credential-kept'), helperScript(join(helper, 'kept')), {
      mode: 0o755,
    });
    mkdirSync(join(helper, '.docker'));
    // containers knows no credsStore.
    writeFileSync(join(helper, '.docker/config.json'), JSON.stringify({ credHelpers: { [host]: 'kept' } }));
    const path = { PATH: `${helper}:${process.env.PATH}` };
    vi.stubEnv('PATH', path.PATH);
    for (const home of [file, helper]) {
      await person({}, path, home).credentials.writeLogin(host, login.user, login.password);
      expect(containers(inspect, home)).toBe(pushed.digest);
      for (const program of ['buildah', 'podman'].filter((one) => has(one)))
        expect(containers([program, 'login', '--get-login', host], home)).toBe(login.user);
    }
    expect(readFileSync(join(helper, '.docker/config.json'), 'utf8')).not.toContain('auth":');
    await person({}, path, helper).credentials.removeLogin(host);
    expect(() => containers(inspect, helper)).toThrow();
    vi.unstubAllEnvs();
    const words = ['skopeo', 'login', '--tls-verify=false', '-u', login.user, '--password-stdin', host];
    containers([...words, '--authfile', join(theirs, 'auth.json')], theirs, login.password);
    const env = { REGISTRY_AUTH_FILE: join(theirs, 'auth.json') };
    expect(await person({}, env, theirs).digest(name)).toBe(pushed.digest);
  });

  it('goes where registries.conf leads, as skopeo does', async () => {
    const [own, mirror] = [await start(), await start()];
    const names = [`${own.host}/app:1`, `${mirror.host}/cache/app:1`].map(parseReference);
    const at = [await push(person(), [names[0]!], [10]), await push(person(), [names[1]!], [20])];
    const conf = join(folder, 'registries.conf');
    const env = { CONTAINERS_REGISTRIES_CONF: conf };
    const rule = (extra: string, inMirror = ''): string =>
      `[[registry]]\nlocation = "${own.host}"\ninsecure = true\n${extra}\n[[registry.mirror]]\nlocation = "${mirror.host}/cache"\ninsecure = true\n${inMirror}`;
    const skopeo = ['skopeo', '--registries-conf', conf, 'inspect', '--raw'];
    const asked = async (text: string, name: string): Promise<string[]> => {
      writeFileSync(conf, text);
      const ours = await person({}, env).resolve(parseReference(name), amd64);
      return [ours.referenceDigest, digestOf(containers([...skopeo, `docker://${name}`], folder))];
    };
    const tag = `${own.host}/app:1`;
    expect(await asked(rule(''), tag)).toEqual([at[1]!.digest, at[1]!.digest]);
    expect(await asked(rule('', 'pull-from-mirror = "digest-only"'), tag)).toEqual([
      at[0]!.digest,
      at[0]!.digest,
    ]);
    expect(await asked(rule('mirror-by-digest-only = true'), tag)).toEqual([at[0]!.digest, at[0]!.digest]);
    const digest = `${own.host}/app@${at[1]!.digest}`;
    expect(await asked(rule('mirror-by-digest-only = true'), digest)).toEqual([at[1]!.digest, at[1]!.digest]);
    const moved = `[[registry]]\nprefix = "old.test/team"\nlocation = "${mirror.host}/cache"\ninsecure = true`;
    expect(await asked(moved, 'old.test/team/app:1')).toEqual([at[1]!.digest, at[1]!.digest]);
    expect(await asked(rule('blocked = true'), tag)).toEqual([at[1]!.digest, at[1]!.digest]);
    const onlyTags = rule('blocked = true', 'pull-from-mirror = "digest-only"');
    await expect(asked(onlyTags, tag)).rejects.toThrow(/is blocked/);
    expect(() => containers([...skopeo, `docker://${tag}`], folder)).toThrow(/is blocked/);
  });

  it('speaks TLS on loopback with the authority of SSL_CERT_FILE, certs.d or --cert-dir', async () => {
    const { host } = await start({ tls: certificates });
    await push(person({}, { SSL_CERT_FILE: certificates.ca }), [parseReference(`${host}/a`)], [10]);
    const home = mkdtempSync(join(folder, 'home-'));
    const place = join(home, '.config/containers/certs.d', host);
    mkdirSync(place, { recursive: true });
    copyFileSync(certificates.ca, join(place, 'ca.crt'));
    await person({}, {}, home).resolve(parseReference(`${host}/a`), amd64);
    await person({ certDir: place }).resolve(parseReference(`${host}/a`), amd64);
    await person({ tlsVerify: false }).resolve(parseReference(`${host}/a`), amd64);
    const stranger = person().resolve(parseReference(`${host}/a`), amd64);
    await expect(stranger).rejects.toThrow(/certificate is not trusted/);
    judge(`${host}/a`, `--src-cert-dir=${place}`);
  });

  it('gets tokens, renews them in the middle of a push, and pulls anonymously', async () => {
    const tokens = await startTokenServer({
      ...certificates,
      service: 'test',
      issuer: 'tests',
      seconds: 5,
      ...login,
      refreshToken: 'refresh-me',
    });
    running.push(tokens);
    const token = { realm: tokens.realm, service: 'test', issuer: 'tests', rootCert: certificates.cert };
    const { host } = await start({ token });
    const registry = person({ creds: `${login.user}:${login.password}` });
    await registry.checkLogin(host, login.user, login.password);
    await expect(registry.checkLogin(host, login.user, 'wrong')).rejects.toMatchObject({ code: 'denied' });
    await push(registry, [parseReference(`${host}/a`)], [10, 20]);
    const before = tokens.asked.length;
    await push(registry, [parseReference(`${host}/a:again`)], [10, 20]);
    expect(tokens.asked.length).toBe(before);
    // The token ends: the next request gets a new one.
    await new Promise((resolve) => setTimeout(resolve, 5500));
    await push(registry, [parseReference(`${host}/a:later`)], [10, 30]);
    expect(tokens.asked.length).toBe(before + 1);
    await push(registry, [parseReference(`${host}/b`)], [10, 20]);
    expect(tokens.asked.at(-1)).toContain('repository:b:pull,push');
    expect(
      tokens.asked.some((scopes) => scopes.join(' ') === 'repository:b:pull,push repository:a:pull'),
    ).toBe(true);
    const anonymous = person();
    await anonymous.resolve(parseReference(`${host}/a`), amd64);
    expect(tokens.authorizations.at(-1)).toBeUndefined();
    await expect(push(anonymous, [parseReference(`${host}/a`)], [99])).rejects.toMatchObject({
      code: 'denied',
    });
    const identity = { auths: { [host]: { identitytoken: 'refresh-me' } } };
    writeFileSync(join(folder, 'identity.json'), JSON.stringify(identity));
    await push(person({ authFile: join(folder, 'identity.json') }), [parseReference(`${host}/c`)], [10]);
  });

  describe.each(['plain', 'TLS and htpasswd', 'TLS and tokens'])('every operation, %s', (how) => {
    let cargo: Cargo;
    beforeAll(async () => {
      cargo = await makeCargo(mkdtempSync(join(folder, 'cargo-')), 300_000);
    });

    const startAs = async (): Promise<RegistryServer> => {
      if (how === 'plain') return start();
      if (how === 'TLS and htpasswd') return start({ htpasswd: login, tls: certificates });
      const asking = { service: 'test', issuer: 'tests', seconds: 60, tlsName: '127.0.0.1', ...login };
      const tokens = await startTokenServer({ ...certificates, ...asking });
      running.push(tokens);
      const token = { realm: tokens.realm, service: 'test', issuer: 'tests', rootCert: certificates.cert };
      return start({ tls: certificates, token });
    };

    const withoutFaults = Object.keys(operations).filter((name) => operations[name]!.faults === undefined);
    it.each(withoutFaults)('%s', async (name) => {
      const server = await startAs();
      const state = stateOnDisk(server);
      const client = hostileClient(server, how === 'plain' ? {} : { auth: {} }, {
        env: { SSL_CERT_FILE: certificates.ca },
      });
      running.push({ stop: () => client.close() });
      operations[name]!.before?.({ state }, cargo);
      expect(await operations[name]!.run({ registry: { state }, client, cargo, folder })).toBe('right');
    });
  });

  it('cancels the upload of an aborted push', async () => {
    const { host, log } = await start();
    const controller = new AbortController();
    const progress = ({ done, state }: Transfer): void => {
      if (state === 'running' && done > 0) controller.abort();
    };
    const image = fake.image([fake.layer('big', noise(30_000_000))]);
    const options = { layers: fake.layers, format: 'oci', progress, signal: controller.signal } as const;
    const attempt = person().push(image, [parseReference(`${host}/a`)], options);
    await expect(attempt).rejects.toMatchObject({ code: 'interrupted' });
    expect(log()).toMatch(/"DELETE \/v2\/a\/blobs\/uploads\//);
    expect(log()).not.toMatch(/"PUT \/v2\/a\/manifests/);
  });
});
