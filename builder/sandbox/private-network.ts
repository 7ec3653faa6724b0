import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { BuildError, errnoOf } from '../../src/core/errors.ts';
import { openFifo } from './fifo.ts';
import { find, searchPath } from './programs.ts';
import { reachableNameServers } from './resolv-conf.ts';

/** A network of a build's own, behind this machine's as behind a router: nothing of it can be reached from outside. */
export interface PrivateNetwork extends AsyncDisposable {
  /** The network namespace, as a path that holds while this process lives. */
  readonly namespace: string;
  /** Where names are looked up in it. */
  readonly nameServers: readonly string[];
  /** This machine's own address as it is seen from there. */
  readonly hostAddress: string | undefined;
}

/** A program at work: it moves packets between the namespace and sockets of this machine. */
interface Connection {
  end(): Promise<void>;
}

interface Wanted {
  /** Of the namespace, open. */
  readonly descriptor: number;
  readonly namespace: string;
  /** Private folder for what passes while it is set up. */
  readonly scratch: string;
}

/** The network as slirp4netns numbers it by itself, and pasta when told to: one description fits both. */
const ADDRESS = '10.0.2.100';
const PREFIX_LENGTH = '24';
const GATEWAY = '10.0.2.2';
const NAME_SERVER = '10.0.2.3';

/**
 * Makes a network namespace and connects it through slirp4netns or, where that is not installed, pasta (spec: sandbox
 * §4). Services on this machine's loopback stay out of reach. It lives until it is disposed of, or this process ends.
 * Throws `sandbox` where neither is installed or /dev/net/tun cannot be opened.
 */
export async function openPrivateNetwork(scratch: string): Promise<PrivateNetwork> {
  const connect = connector();
  checkTun();
  const descriptor = await newNamespace();
  const namespace = `/proc/${process.pid}/fd/${descriptor}`;
  try {
    const connection = await connect({ descriptor, namespace, scratch });
    return {
      namespace,
      nameServers: [NAME_SERVER, ...reachableNameServers()],
      hostAddress: ownAddress(),
      [Symbol.asyncDispose]: async () => {
        await connection.end();
        closeSync(descriptor);
      },
    };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function connector(): (wanted: Wanted) => Promise<Connection> {
  const slirp = find('slirp4netns');
  if (slirp !== undefined) return (wanted) => connectSlirp(slirp, wanted);
  const pasta = find('pasta');
  if (pasta !== undefined) return (wanted) => connectPasta(pasta, wanted);
  throw new BuildError('sandbox', 'a private network needs slirp4netns or pasta, and neither was found', {
    hint: 'Install one: apt-get install slirp4netns (Debian, Ubuntu), dnf install slirp4netns (Fedora), apk add slirp4netns (Alpine); or build with --network host or none.',
  });
}

function checkTun(): void {
  try {
    closeSync(openSync('/dev/net/tun', 'r+'));
  } catch (error) {
    const errno = errnoOf(error) ?? 'unknown';
    throw new BuildError(
      'sandbox',
      `a private network needs /dev/net/tun, which cannot be opened (${errno})`,
      {
        cause: error,
        hint: tunHint(errno),
      },
    );
  }
}

function tunHint(errno: string): string {
  if (errno === 'EACCES') return 'Let everyone open it, as most systems do: sudo chmod 0666 /dev/net/tun.';
  return 'Load the module: sudo modprobe tun; in a container, hand the device on: docker run --device /dev/net/tun.';
}

/** A namespace that our descriptor alone keeps: the process that made it has ended when this returns. */
async function newNamespace(): Promise<number> {
  const maker = spawn('unshare', ['--net', '--', 'cat'], { stdio: 'pipe', env: environment() });
  maker.stdin.on('error', () => {});
  maker.stdin.write('made');
  const made = new Promise<void>((resolve) => maker.stdout.once('data', () => resolve()));
  const connection = await connected(maker, made, 'unshare');
  const descriptor = openSync(`/proc/${maker.pid}/ns/net`, 'r');
  await connection.end();
  return descriptor;
}

/** It ends when the other end of `--exit-fd` closes: with us, whatever ends us. */
async function connectSlirp(program: string, { namespace }: Wanted): Promise<Connection> {
  const options = ['--configure', '--mtu=65520', '--disable-host-loopback'];
  const descriptors = ['--ready-fd=3', '--exit-fd=4'];
  const where = ['--netns-type=path', namespace, 'tap0'];
  // In a session of its own: a process that survives an interrupt keeps its network.
  const child = spawn(program, [...options, ...descriptors, ...where], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
    env: environment(),
  });
  const ready = new Promise<void>((resolve) => child.stdio[3]!.once('data', () => resolve()));
  return await connected(child, ready, 'slirp4netns');
}

/** It writes its process id once the network stands. */
async function connectPasta(program: string, { descriptor, scratch }: Wanted): Promise<Connection> {
  const pidFile = join(scratch, 'pasta.pid');
  let told: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    told = resolve;
  });
  const fifo = openFifo(pidFile, () => told());
  try {
    // As stdin it finds the namespace even where it may look into no other process.
    const namespace = ['--netns-only', '--netns', '/proc/self/fd/0'];
    const words = [program, ...pastaOptions, ...namespace, '--pid', pidFile];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...words], {
      stdio: [descriptor, 'ignore', 'pipe'],
      detached: true,
      env: environment(),
    });
    return await connected(child, ready, 'pasta');
  } finally {
    fifo.drain();
  }
}

/**
 * Numbers as slirp4netns has them, so that this machine can be told from the process in the namespace; nothing of either
 * side's loopback passes. Its own user is ours: it would look for another, and for a user namespace.
 */
const pastaOptions = [
  ...['--foreground', '--quiet', '--config-net', '--no-map-gw', '--no-netns-quit', '--runas', '0'],
  ...['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none'],
  ...['--address', ADDRESS, '--netmask', PREFIX_LENGTH, '--gateway', GATEWAY, '--dns-forward', NAME_SERVER],
];

/** Waits until the program is ready; one that ends before has failed. */
async function connected(child: ChildProcess, ready: Promise<void>, name: string): Promise<Connection> {
  const said: Buffer[] = [];
  child.stderr!.on('data', (chunk: Buffer) => said.length < 16 && said.push(chunk));
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  await Promise.race([ready, ended.then(() => Promise.reject(neverReady(name, Buffer.concat(said))))]);
  return {
    async end() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function neverReady(name: string, said: Buffer): BuildError {
  const reason = said.toString('utf8').trim().split('\n').at(-1) || 'it ended without a word';
  return new BuildError('sandbox', `${name} could not make a private network: ${reason}`, {
    hint: 'Build with --network host or none, or run the program by hand to see what it lacks.',
  });
}

/** The first address of this machine that is not its loopback's. */
function ownAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: searchPath(), LC_ALL: 'C' };
}
