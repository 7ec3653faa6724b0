// What moving an image costs: 512 MiB in four layers that do not compress, between a store and Debian's docker-registry, beside
// skopeo and buildah; and a push of 1 GiB through a connection that is reset every 50 MiB, to a registry that keeps what arrived.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startRelay } from '../../test/support/hostile-registry/relay.mjs';
import { quiet, root } from '../machine.mjs';
import { buildah, tsbuild } from './builders.mjs';
import { context, startRegistry } from './inputs.mjs';
import { summary } from './summary.mjs';

const mebibyte = 1 << 20;
const [layers, layerBytes] = [4, 128 * mebibyte];
const push = { push: 'too' };

export const transferNames = ['pull512', 'push512'];

/**
 * Each program: how it pulls `image` into `place`, and how it pushes what it pulled to `to`. All start from what they keep
 * themselves, and none goes through TLS.
 */
const programs = {
  tsbuild: {
    pull: (image, place) => [join(root, 'bin/tsbuild'), 'pull', '--root', place, image],
    push: (image, place, to) => [join(root, 'bin/tsbuild'), 'push', '--root', place, image, to],
  },
  skopeo: {
    pull: (image, place) => [
      'skopeo',
      'copy',
      '-q',
      '--src-tls-verify=false',
      `docker://${image}`,
      `oci:${place}:x`,
    ],
    push: (_, place, to) => [
      'skopeo',
      'copy',
      '-q',
      '--dest-tls-verify=false',
      `oci:${place}:x`,
      `docker://${to}`,
    ],
  },
  buildah: {
    pull: (image, place) => [...buildah.storage(place), 'pull', '-q', '--tls-verify=false', image],
    push: (image, place, to) => [
      ...buildah.storage(place),
      'push',
      '-q',
      '--tls-verify=false',
      image,
      `docker://${to}`,
    ],
  },
};

/** Measures the row `name`: `runs` times after one that does not count, programs taking turns. */
export async function measureTransfer(name, { folder, registry, runs }) {
  const image = `${registry.host}/bench/transfer:1`;
  makeImage(folder, image);
  const times = Object.fromEntries(Object.keys(programs).map((program) => [program, []]));
  for (let run = 0; run <= runs; run += 1)
    for (const [program, commands] of Object.entries(programs)) {
      const ms = await once(name, { commands, image, place: join(folder, `${name}-${program}-${run}`) });
      if (run > 0) times[program].push(ms);
    }
  const { tsbuild: ours, ...others } = Object.fromEntries(
    Object.entries(times).map(([program, some]) => [program, summary(some)]),
  );
  const peer = Object.values(others).sort((a, b) => a.median - b.median)[0];
  const ratio = ours.median / peer.median;
  const about = `512 MiB in ${layers} layers, docker-registry on loopback, beside the faster of skopeo and buildah`;
  return {
    name,
    about,
    tsbuild: ours,
    ...others,
    peer,
    ratio,
    target: 1,
    reached: ours.least / peer.median <= 1,
  };
}

/** Pushing goes to an empty registry, from what was pulled before. */
async function once(name, { commands, image, place }) {
  mkdirSync(place);
  if (name === 'pull512') return timed(commands.pull(image, join(place, 'store')));
  quiet(commands.pull(image, join(place, 'store')));
  const fresh = await startRegistry(join(place, 'registry'));
  try {
    return timed(commands.push(image, join(place, 'store'), `${fresh.host}/bench/pushed:1`));
  } finally {
    fresh.stop();
  }
}

/** What the program before has left to be written is not this one's. */
function timed(command) {
  quiet(['sync']);
  const start = process.hrtime.bigint();
  quiet(command);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function makeImage(folder, image) {
  const names = Array.from({ length: layers }, (_, n) => `part${n}`);
  const text = `FROM scratch\n${names.map((name) => `COPY ${name} /\n`).join('')}`;
  const path = context(folder, 'transfer', text, (at) => {
    for (const name of names) random(join(at, name), layerBytes);
  });
  quiet(tsbuild.build({ store: join(folder, 'store-transfer'), path, image, workload: push }));
}

function random(file, bytes) {
  for (let at = 0; at < bytes; at += mebibyte) writeFileSync(file, randomBytes(mebibyte), { flag: 'a' });
}

/** The most memory of a push of 1 GiB through a connection that is reset every 50 MiB, and what arrived. */
export async function measureResets({ folder, peakMemory }) {
  const path = context(folder, 'resets', 'FROM scratch\nCOPY large /\n', (at) =>
    random(join(at, 'large'), 1 << 30),
  );
  const registry = await startHostile();
  const relay = await startRelay(registry.host, { everyBytes: 50 * mebibyte, together: true });
  try {
    const job = {
      store: join(folder, 'store-resets'),
      path,
      image: `${relay.host}/bench/resets:1`,
      workload: push,
    };
    const mebibytes = await peakMemory(tsbuild.build(job));
    const { received } = await registry.stop();
    const arrived = `${(received / mebibyte).toFixed(1)} MiB arrived in ${relay.resets} resets`;
    const about = `VmHWM in MiB, 1 GiB built and pushed, reset every 50 MiB: ${arrived}`;
    return { name: 'resets', about, mebibytes, target: 300, reached: mebibytes < 300 };
  } finally {
    await relay.stop();
    await registry.stop();
  }
}

/** The hostile registry as a process of its own: its memory is not ours. */
async function startHostile() {
  const cli = join(root, 'test/support/hostile-registry/cli.mjs');
  const child = spawn(process.execPath, [cli, '--keep', 'digests'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said = [];
  const first = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => resolve(said.push(line)));
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await first;
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    return JSON.parse(said.at(-1));
  };
  return { host: JSON.parse(said[0]).registry, stop };
}
