import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { lgetxattr } from '../../src/sys/xattr.ts';
import { asUser, type OrdinaryUser, ordinaryUser } from '../support/ordinary-user.ts';
import { skip } from '../support/skips.ts';
import { tarOf } from '../unit/cache/open.ts';

const repository = new URL('../..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'cache-integration-'));
const driver = join(folder, 'code/cache-driver.js');
const env = { ...process.env, NODE_PATH: join(repository, 'node_modules') };

beforeAll(() => {
  chmodSync(folder, 0o755);
  execFileSync(
    join(repository, 'node_modules/.bin/esbuild'),
    [
      ...['test/integration/cache-driver.ts', 'cache/unpack-worker.ts', 'cache/commit-worker.ts'],
      ...['--bundle', '--format=esm', '--platform=node', '--external:koffi', '--entry-names=[name]'],
      ...['--log-level=error', `--outdir=${join(folder, 'code')}`],
      "--banner:js=import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
    ],
    { cwd: repository },
  );
  writeFileSync(join(folder, 'code/package.json'), '{"type":"module"}');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder with a layer to fetch. */
function offer(name: string, tar: Buffer): string {
  const at = join(folder, name);
  mkdirSync(at, { mode: 0o755 });
  const blob = gzipSync(tar, { level: 1 });
  const descriptor = {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: digestOf(blob),
    size: blob.length,
  };
  writeFileSync(join(at, 'layer.json'), JSON.stringify({ diffId: digestOf(tar), own: false, descriptor }));
  writeFileSync(join(at, 'blob'), blob);
  return at;
}

const many = tarOf(
  Array.from(
    { length: 400 },
    (_, i) => ({ path: `file${1000 + i}`, type: 'file', content: String(i).repeat(3000) }) as const,
  ),
);

function use(store: string, mapping: string, from: string) {
  const ran = spawnSync(process.execPath, [driver, store, mapping, from], { env, encoding: 'utf8' });
  expect(ran.stderr.replace(/^.*ExperimentalWarning.*\n?/gm, '')).toBe('');
  return JSON.parse(ran.stdout) as Record<string, string>;
}

/** The same in a user namespace of the ordinary user. */
function useAs(user: OrdinaryUser, store: string, from: string) {
  const inside = [
    'unshare',
    '--user',
    '--map-root-user',
    '--map-auto',
    '--mount',
    process.execPath,
    driver,
    store,
    'map',
    from,
  ];
  const [program = '', ...args] = asUser(user, inside);
  const ran = spawnSync(program, args, { env, encoding: 'utf8' });
  expect(ran.stderr).toBe('');
  return JSON.parse(ran.stdout) as Record<string, string>;
}

describe.skipIf(skip('the store of root', { root: true }))('the store', () => {
  it('serves two processes at once', async () => {
    const from = offer('two', many);
    const store = join(folder, 'two-store');
    const children = [1, 2].map(() => spawn(process.execPath, [driver, store, 'root', from], { env }));
    const outputs = await Promise.all(
      children.map(async (child) => {
        let text = '';
        child.stdout.on('data', (chunk) => (text += chunk));
        await once(child, 'close');
        return JSON.parse(text) as Record<string, string>;
      }),
    );
    expect(outputs[0]!.tree).toBe(outputs[1]!.tree);
    expect(outputs[0]!.written).toBe(outputs[1]!.written);
    expect(readdirSync(outputs[0]!.tree!)).toHaveLength(400);
    expect(readdirSync(join(store, 'tmp'))).toEqual([]);
  });

  it('outlives a SIGKILL at any point', async () => {
    const from = offer('killed', many);
    const store = join(folder, 'killed-store');
    for (let round = 0; round < 20; round++) {
      const child = spawn(process.execPath, [driver, store, `m${round}`, from], { env, stdio: 'ignore' });
      await new Promise((resolve) => setTimeout(resolve, 40 + ((round * 37) % 20) * 12));
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    const after = use(store, 'm0', from);
    expect(readdirSync(after.tree!)).toHaveLength(400);
    expect(readdirSync(join(store, 'tmp'))).toEqual([]);
  });

  it('says that the disk is full, and leaves nothing there', () => {
    const store = join(folder, 'small');
    mkdirSync(store);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=700', 'none', store]);
    try {
      const big = tarOf([{ path: 'big', type: 'file', content: 'x'.repeat(5_000_000) }]);
      expect(use(store, 'root', offer('full', big))).toMatchObject({ code: 'disk-full' });
      expect(use(store, 'root', offer('fits', tarOf([]))).code).toBe('disk-full');
      expect(readdirSync(join(store, 'tmp'))).toEqual([]);
    } finally {
      execFileSync('umount', [store]);
    }
  });
});

const needs = { root: true, programs: ['unshare', 'setpriv', 'newuidmap'] };

describe.skipIf(skip('the store in a user namespace', needs))('in a user namespace', () => {
  const store = join(folder, 'user-store');
  let user: OrdinaryUser;
  beforeAll(async () => {
    user = await ordinaryUser();
  });

  it('layers are unpacked with all that the kernel allows', () => {
    mkdirSync(store, { mode: 0o700 });
    chownSync(store, user.uid, user.gid);
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex').toString('latin1');
    const tar = tarOf([
      {
        path: 'owned',
        type: 'file',
        uid: 1000,
        gid: 1001,
        mode: 0o6755,
        xattrs: { 'security.capability': capability },
      },
      { path: 'null', type: 'char', mode: 0o666, device: { major: 1, minor: 3 } },
      { path: 'gone', type: 'whiteout' },
      { path: 'dir', type: 'dir', mode: 0o1777 },
      { path: 'dir', type: 'opaque' },
    ]);
    const { tree } = useAs(user, store, offer('userns', tar));
    const stat = (name: string) => lstatSync(join(tree!, name));
    expect(stat('owned').uid).toBeGreaterThan(65_536);
    expect(stat('owned').mode & 0o7777).toBe(0o6755);
    expect(stat('gone').isCharacterDevice()).toBe(true);
    expect(stat('null').isFile()).toBe(true);
    expect(lgetxattr(join(tree!, 'dir'), 'user.overlay.opaque').toString()).toBe('y');
    expect(lgetxattr(join(tree!, 'owned'), 'security.capability').length).toBeGreaterThan(0);
  });

  it('an id that is not mapped is named', () => {
    const tar = tarOf([{ path: 'far', type: 'file', uid: 3_000_000, content: 'x' }]);
    const failed = useAs(user, store, offer('far', tar));
    expect(failed).toMatchObject({ code: 'layer' });
    expect(failed.message).toMatch(/"far".*3000000/);
    expect(use(join(folder, 'root-store'), 'root', join(folder, 'far')).tree).toBeTruthy();
  });

  it("another one's store is refused", () => {
    mkdirSync(join(folder, 'of-root'), { mode: 0o755 });
    expect(useAs(user, join(folder, 'of-root'), join(folder, 'far'))).toMatchObject({ code: 'store' });
  });
});
