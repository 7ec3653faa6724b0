// What the workloads build from: contexts, base images and registries. The same bytes in every run.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { quiet } from '../machine.mjs';

const mebibyte = 1 << 20;

/** A context folder with a Containerfile and, when asked, more; made once. */
export function context(folder, name, containerfile, fill = () => {}) {
  const path = join(folder, 'contexts', name);
  if (!existsSync(path)) {
    mkdirSync(path, { recursive: true });
    fill(path);
  }
  writeFileSync(join(path, 'Containerfile'), containerfile);
  return path;
}

/** 20,000 files of 100 to 3,000 bytes in 200 directories. */
export function manyFiles(path) {
  for (let directory = 0; directory < 200; directory += 1) {
    const below = join(path, 'files', String(directory));
    mkdirSync(below, { recursive: true });
    for (let file = 0; file < 100; file += 1) {
      const number = directory * 100 + file;
      writeFileSync(join(below, `${file}.txt`), `line of file ${number}\n`.repeat(5 + (number % 140)));
    }
  }
}

/** Half bytes that do not compress, half text. */
export function largeFile(path, size) {
  const file = join(path, 'large');
  for (let at = 0; at < size; at += mebibyte)
    writeFileSync(file, at % (2 * mebibyte) === 0 ? noise(at) : text(at), { flag: 'a' });
}

function noise(seed) {
  const parts = Array.from({ length: mebibyte / 64 }, (_, n) =>
    createHash('sha512').update(`${seed} ${n}`).digest(),
  );
  return Buffer.concat(parts);
}

function text(seed) {
  const lines = Array.from(
    { length: 20_000 },
    (_, n) => `${seed + n} the quick brown fox of line ${n % 977}\n`,
  );
  return Buffer.from(lines.join('')).subarray(0, mebibyte);
}

/** Debian's smallest with apt, and the same with a second layer that makes it 450 MB; OCI layouts with tag `image`. */
export function baseLayouts(folder) {
  const [debian, big] = ['debian', 'big'].map((name) => join(folder, 'bases', name));
  if (existsSync(big)) return { debian, big };
  mkdirSync(join(folder, 'bases'), { recursive: true });
  const tar = join(folder, 'bases/debian.tar');
  const { release, sources } = aptSources();
  quiet(['mmdebstrap', '--quiet', '--variant=apt', release, tar, ...sources]);
  const second = join(folder, 'bases/second.tar');
  hostFiles(second, 290 * mebibyte);
  writeLayout(debian, [tar]);
  writeLayout(big, [tar, second]);
  return { debian, big };
}

/** This machine's own release of Debian, and where it comes from, as mmdebstrap takes them. */
export function aptSources() {
  const release = quiet(['sh', '-c', '. /etc/os-release; echo $VERSION_CODENAME']).trim();
  const list = 'ls /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null; true';
  const sources = quiet(['sh', '-c', list]).trim().split('\n').slice(0, 1);
  return { release, sources };
}

/** A tar of this machine's own /usr/lib and /usr/share, in order, up to a size. */
function hostFiles(tar, size) {
  const found = quiet([
    'find',
    '/usr/lib',
    '/usr/share',
    '-xdev',
    '-type',
    'f',
    '-size',
    '-4M',
    '-printf',
    '%s %p\\n',
  ]);
  const names = [];
  let sum = 0;
  for (const line of found
    .trim()
    .split('\n')
    .sort((a, b) => (path(a) < path(b) ? -1 : 1))) {
    sum += Number(line.split(' ', 1)[0]);
    if (sum > size) break;
    names.push(path(line));
  }
  quiet(['tar', '-C', '/', '--transform=s,^,opt/,', '--null', '-T', '-', '-cf', tar], {
    input: names.join('\0'),
  });
}

function path(line) {
  return line.slice(line.indexOf(' ') + 2);
}

function writeLayout(layout, tars) {
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  const put = (bytes) => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    writeFileSync(join(layout, 'blobs/sha256', digest.slice(7)), bytes);
    return { digest, size: bytes.length };
  };
  const json = (value) => Buffer.from(JSON.stringify(value));
  const type = (kind) => `application/vnd.oci.image.${kind}`;
  const contents = tars.map((tar) => readFileSync(tar));
  const diffIds = contents.map((bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`);
  const layers = contents.map((bytes) => ({ mediaType: type('layer.v1.tar+gzip'), ...put(gzipSync(bytes)) }));
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
  const config = {
    architecture,
    os: 'linux',
    config: { Env: env },
    rootfs: { type: 'layers', diff_ids: diffIds },
    // buildah wants an entry per layer.
    history: diffIds.map(() => ({ created: '2001-09-09T01:46:40Z', created_by: 'bench' })),
  };
  const configured = { mediaType: type('config.v1+json'), ...put(json(config)) };
  const manifest = put(
    json({ schemaVersion: 2, mediaType: type('manifest.v1+json'), config: configured, layers }),
  );
  const annotations = { 'org.opencontainers.image.ref.name': 'image' };
  const descriptor = { mediaType: type('manifest.v1+json'), ...manifest, annotations };
  writeFileSync(join(layout, 'index.json'), json({ schemaVersion: 2, manifests: [descriptor] }));
  writeFileSync(join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
}

/** Debian's docker-registry with its data in `data`, on a free loopback port. */
export async function startRegistry(data) {
  mkdirSync(data, { recursive: true });
  const port = await freePort();
  const config = join(data, '..', `registry-${port}.json`);
  const storage = { filesystem: { rootdirectory: data } };
  writeFileSync(config, JSON.stringify({ version: 0.1, storage, http: { addr: `127.0.0.1:${port}` } }));
  const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const host = `127.0.0.1:${port}`;
  for (let tries = 0; tries < 200; tries += 1) {
    const up = await fetch(`http://${host}/v2/`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (up) return { host, stop: () => child.kill() };
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  child.kill();
  throw new Error('docker-registry did not answer');
}

export function pushLayout(layout, name) {
  quiet(['skopeo', 'copy', '-q', '--dest-tls-verify=false', `oci:${layout}:image`, `docker://${name}`]);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The first line of what a program says of itself. */
export function version(command) {
  const { stdout } = spawnSync(command[0], command.slice(1), { encoding: 'utf8' });
  return (stdout ?? '').split('\n', 1)[0];
}
