import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { skip } from './skips.ts';

export interface RegistryServerOptions {
  /** Ask for this user and password (Basic). */
  readonly htpasswd?: { readonly user: string; readonly password: string };
  /** Serve TLS with these PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Ask for tokens of this server. */
  readonly token?: {
    readonly realm: string;
    readonly service: string;
    readonly issuer: string;
    readonly rootCert: string;
  };
}

export interface RegistryServer {
  /** `127.0.0.1:<port>`: the host of references. */
  readonly host: string;
  readonly port: number;
  readonly origin: string;
  /** The folder of its store. */
  readonly data: string;
  /** What the registry logged so far: a line per request. */
  log(): string;
  stop(): Promise<void>;
}

const program = 'docker-registry';

/** False where the `docker-registry` package is not installed, which is then said aloud. */
export function hasRegistryServer(): boolean {
  return !skip('tests with a registry', { programs: ['docker-registry'] });
}

/** Starts Debian's docker-registry on a free loopback port with an empty store of its own, and waits until it answers. */
export async function startRegistryServer(options: RegistryServerOptions = {}): Promise<RegistryServer> {
  const folder = mkdtempSync(join(tmpdir(), 'registry-server-'));
  const port = await freePort();
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'config.yml'), configOf(folder, port, options));
  const child = spawn(program, ['serve', join(folder, 'config.yml')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const host = `127.0.0.1:${port}`;
  const origin = `${options.tls === undefined ? 'http' : 'https'}://${host}`;
  const data = join(folder, 'data');
  const server = { host, port, origin, data, log: () => log, stop: () => stop(child, folder) };
  try {
    await untilUp(child, port, options.tls !== undefined, () => log);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

function configOf(folder: string, port: number, options: RegistryServerOptions): string {
  const { htpasswd, tls, token } = options;
  const lines = [
    'version: 0.1',
    'log: { level: info, accesslog: { disabled: false } }',
    `storage: { filesystem: { rootdirectory: ${join(folder, 'data')} }, delete: { enabled: true } }`,
    `http: { addr: "127.0.0.1:${port}", secret: test${tls ? `, tls: { certificate: ${tls.cert}, key: ${tls.key} }` : ''} }`,
  ];
  if (htpasswd !== undefined) {
    const path = join(folder, 'htpasswd');
    writeFileSync(path, hashed(htpasswd.user, htpasswd.password));
    lines.push(`auth: { htpasswd: { realm: test, path: ${path} } }`);
  }
  if (token !== undefined) {
    const { realm, service, issuer, rootCert } = token;
    lines.push(
      `auth: { token: { realm: "${realm}", service: "${service}", issuer: "${issuer}", rootcertbundle: ${rootCert} } }`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** The registry knows bcrypt alone, which Node lacks; crypt(3) of the C library has it. */
function hashed(user: string, password: string): string {
  const script =
    'import ctypes, sys; c = ctypes.CDLL("libcrypt.so.1"); c.crypt.restype = ctypes.c_char_p; print(c.crypt(sys.argv[1].encode(), b"$2y$05$abcdefghijklmnopqrstuu").decode())';
  const hash = execFileSync('python3', ['-c', script, password], { encoding: 'utf8' }).trim();
  return `${user}:${hash}\n`;
}

async function untilUp(child: ChildProcess, port: number, isTls: boolean, log: () => string): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended: ${log()}`);
    if (await answers(port, isTls)) return;
    await sleep(25);
  }
  throw new Error(`docker-registry does not answer: ${log()}`);
}

function answers(port: number, isTls: boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: '/v2/',
      rejectUnauthorized: false,
      agent: false as const,
    };
    const request = (isTls ? httpsRequest : httpRequest)(options, (response) => {
      response.resume();
      resolve(true);
    });
    request.on('error', () => resolve(false)).end();
  });
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
