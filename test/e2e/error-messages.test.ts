import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { renderFailure } from '../../src/report/error.ts';
import { busyboxBase } from '../support/base-images.ts';
import { startHostileRegistry } from '../support/hostile-registry/registry.mjs';
import { switchesOf } from '../support/hostile-registry/switches.mjs';
import { startHttpServer } from '../support/http-server.ts';
import { must, type Outcome, run } from '../support/programs.ts';
import { skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

const base = 'localhost/tsbuild-test/busybox:1';

/** Makes the command fail as a person would; gives all that it writes to stderr. */
type Provoke = (tsbuild: Tsbuild) => Promise<string>;

/** A code that is missing here does not compile. */
const failures: Record<ErrorCode, Readonly<Record<string, Provoke>>> = {
  usage: {
    'unknown-flag': told(['build', '--tga', 'app', '.']),
    'no-context': told(['build', '-t', 'app']),
    'unknown-command': told(['biuld']),
  },
  parse: {
    several: inFile('FROM scratch\nCOPPY a /a\nENV =x\n'),
    'unknown-stage': inFile(`FROM ${base} AS builder\nFROM scratch\nCOPY --from=1 /x /y\n`),
  },
  context: {
    'no-folder': told(['build', 'nowhere']),
    'git-key': told(['build', 'https://127.0.0.1:1/app.git?foo=1']),
  },
  'not-found': {
    'copy-source': inFile('FROM scratch\nCOPY package.jsn /\n', { 'package.json': '{}' }),
    image: told(['inspect', 'nothing']),
    file: told(['build', '-f', 'nofile', '.']),
  },
  'run-failed': {
    command: inFile(`FROM ${base}\nRUN echo one; echo two >&2; exit 42\n`),
    'command-without-a-word': inFile(`FROM ${base}\nRUN exit 3\n`),
    'secret-not-given': inFile(
      `FROM ${base}\nRUN --mount=type=secret,id=token --mount=type=ssh cat /run/secrets/token\n`,
    ),
    'command-not-found': inFile(`FROM ${base}\nRUN nothing-like-it\n`),
  },
  sandbox: {
    'isolation-none': inFile(`FROM ${base}\nRUN true\n`, {}, ['--isolation', 'none']),
    'no-runtime': inFile(`FROM ${base}\nRUN true\n`, {}, ['--runtime', 'no-such-runtime']),
  },
  image: { 'no-image-in-archive': loading({ 'notes.txt': 'nothing' }) },
  layer: { 'broken-layer': brokenLayer },
  'digest-mismatch': { checksum: fromServer },
  registry: { 'server-error': fromRegistry('500-for-ever') },
  denied: { 'no-login': fromRegistry('basic') },
  network: { 'nobody-listens': told(['pull', '--retry', '0', '127.0.0.1:1/team/app']) },
  store: { 'no-folder': (tsbuild) => written(tsbuild, 'file', ['images', '--root', 'file']) },
  'disk-full': skip('the message of a full disk', { root: true }) ? {} : { 'small-store': onSmallStore },
  output: {
    'no-such-folder': inFile('FROM scratch\nCMD x\n', {}, ['-o', 'type=oci,dest=/nonexistent/app.tar']),
  },
  interrupted: { 'control-c': interrupted },
  bug: {
    told: async () => renderFailure(new TypeError('x is undefined'), { read: () => undefined, debug: false }),
  },
};

describe.skipIf(skip('messages of failures', { programs: ['skopeo', 'busybox'] }))('a message of', () => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild('root');
    await loadBases(tsbuild, [await busyboxBase()]);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  const all = Object.entries(failures).flatMap(([code, ways]) =>
    Object.entries(ways).map(([name, provoke]) => ({ code, name, provoke })),
  );
  it.each(all)('$code ($name) reads as it should', async ({ code, name, provoke }) => {
    const message = withoutPlaces(await provoke(tsbuild), tsbuild);
    await expect(message).toMatchFileSnapshot(`../../testdata/errors/${code}.${name}.txt`);
  });
});

/** What differs from one machine and run to the next: folders, ports, ids of builds. */
function withoutPlaces(text: string, { store, folder }: Tsbuild): string {
  return text
    .replaceAll(store, '/store')
    .replaceAll(folder, '/home/ann')
    .replace(/127\.0\.0\.1:\d{4,5}/g, '127.0.0.1:5000')
    .replace(/builds\/v1\/[\w-]+/g, 'builds/v1/20261129-1602')
    .replace(/\bcontext-\d+/g, 'context-0')
    .replace(/\d+ms|\d+(\.\d)? s\b/g, '1 s');
}

async function failing(tsbuild: Tsbuild, args: readonly string[], options: object = {}): Promise<string> {
  const outcome: Outcome = await tsbuild.run(args, { cwd: tsbuild.folder, ...options });
  expect(outcome.code, outcome.stderr).not.toBe(0);
  expect(outcome.stdout).toBe('');
  return outcome.stderr;
}

function told(args: readonly string[]): Provoke {
  return (tsbuild) => failing(tsbuild, args);
}

/** A build of a file in a context with these files; the picture is left out, so that what remains is the message. */
function inFile(
  text: string,
  files: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): Provoke {
  return async (tsbuild) => {
    const context = freshFolder(tsbuild);
    for (const [name, content] of Object.entries({ ...files, Containerfile: text }))
      writeFileSync(join(context, name), content);
    return await failing(tsbuild, ['build', '--progress', 'quiet', ...flags, '.'], { cwd: context });
  };
}

let folders = 0;

function freshFolder({ folder }: Tsbuild): string {
  const path = join(folder, `context-${folders++}`);
  mkdirSync(path);
  return path;
}

async function written(tsbuild: Tsbuild, name: string, args: readonly string[]): Promise<string> {
  const cwd = freshFolder(tsbuild);
  writeFileSync(join(cwd, name), 'x');
  const outcome = await run([join(process.cwd(), 'bin/tsbuild'), ...args], { cwd, env: tsbuild.env });
  expect(outcome.code).toBe(1);
  return outcome.stderr.replaceAll(cwd, '/home/ann');
}

/** `tsbuild load` of an archive with these files. */
function loading(files: Readonly<Record<string, string | Buffer>>): Provoke {
  return async (tsbuild) => {
    const cwd = freshFolder(tsbuild);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content);
    await must(['tar', '-C', cwd, '-cf', join(cwd, 'app.tar'), ...Object.keys(files)]);
    return await failing(tsbuild, ['load', '-i', 'app.tar'], { cwd });
  };
}

/** A layer is looked at when somebody needs it. */
async function brokenLayer(tsbuild: Tsbuild): Promise<string> {
  const cwd = freshFolder(tsbuild);
  const files = dockerArchive(Buffer.from('this is no tar'.repeat(100)));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content);
  await must(['tar', '-C', cwd, '-cf', join(cwd, 'app.tar'), ...Object.keys(files)]);
  await tsbuild.must(['load', '-i', 'app.tar'], { cwd });
  return await failing(tsbuild, ['run', 'app:1', 'true'], { cwd });
}

/** What `docker save` writes, with one layer of these bytes. */
function dockerArchive(layer: Buffer): Record<string, string | Buffer> {
  const config = {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    history: [{ created_by: 'x' }],
  };
  const manifest = [{ Config: 'config.json', RepoTags: ['app:1'], Layers: ['layer.tar'] }];
  return {
    'config.json': JSON.stringify(config),
    'manifest.json': JSON.stringify(manifest),
    'layer.tar': gzipSync(layer),
  };
}

/** A download that is not what the file says. */
async function fromServer(tsbuild: Tsbuild): Promise<string> {
  const server = await startHttpServer((_, response) => void response.end('something else'));
  try {
    const text = `FROM scratch\nADD --checksum=${digestOf('tool')} ${server.origin}/tool /tool\n`;
    return await inFile(text)(tsbuild);
  } finally {
    await server.stop();
  }
}

function fromRegistry(name: string): Provoke {
  return async (tsbuild) => {
    const registry = await startHostileRegistry(switchesOf(name));
    try {
      return await failing(tsbuild, ['pull', '--retry', '0', `${registry.host}/team/app:1`]);
    } finally {
      await registry.stop();
    }
  };
}

async function onSmallStore(tsbuild: Tsbuild): Promise<string> {
  const small = freshFolder(tsbuild);
  await must(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]);
  try {
    const cwd = freshFolder(tsbuild);
    writeFileSync(join(cwd, 'Containerfile'), 'FROM scratch\nCOPY big /\n');
    writeFileSync(join(cwd, 'big'), Buffer.alloc(4 << 20, 'no two blocks are the same'));
    const program = join(process.cwd(), 'bin/tsbuild');
    const args = ['build', '--progress', 'quiet', '--root', small, '.'];
    const outcome = await run([program, ...args], { cwd, env: tsbuild.env });
    expect(outcome.code).toBe(1);
    return outcome.stderr.replaceAll(small, '/store');
  } finally {
    await must(['umount', small]);
  }
}

/** Ctrl-C while a step runs. */
async function interrupted(tsbuild: Tsbuild): Promise<string> {
  let sent = false;
  const cwd = freshFolder(tsbuild);
  writeFileSync(join(cwd, 'Containerfile'), `FROM ${base}\nRUN echo begun; sleep 100\n`);
  const outcome = await run(tsbuild.commandLine(['build', '--progress', 'plain', '.']), {
    cwd,
    env: tsbuild.env,
    group: true,
    said: (output, pid) => {
      // A second one would end it at once.
      if (!sent && /begun$/m.test(output)) process.kill(-pid, 'SIGINT');
      sent ||= /begun$/m.test(output);
    },
  });
  expect(outcome.code).toBe(130);
  return outcome.stderr.slice(outcome.stderr.indexOf('tsbuild:'));
}
