import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseEngine, whyNoRun } from '../../../builder/sandbox/choose.ts';
import { hostsText } from '../../../builder/sandbox/etc-files.ts';
import { rlimits } from '../../../builder/sandbox/limits.ts';
import { type BundleFacts, ociConfig } from '../../../builder/sandbox/oci-config.ts';
import { requestText } from '../../../builder/sandbox/outside-request.ts';
import {
  overlayMount,
  type PathNames,
  plainNames,
  ShortNames,
} from '../../../builder/sandbox/overlay-mount.ts';
import type { Overlay, SandboxPlan } from '../../../builder/sandbox/plan.ts';
import type { Place } from '../../../src/core/place.ts';

const own = [
  'Limit                     Soft Limit           Hard Limit           Units     ',
  'Max stack size            8388608              unlimited            bytes     ',
  'Max open files            4096                 20000                files     ',
].join('\n');

const place: Place = {
  isolation: 'none',
  uid: 1000,
  gid: 1000,
  home: '/home/a',
  runtimeDir: undefined,
  outside: undefined,
  asked: undefined,
  why: undefined,
};

const plan: SandboxPlan = {
  root: { lower: ['/l'], upper: '/u', work: '/w' },
  mounts: [],
  process: { args: ['true'], env: [], cwd: '/', uid: 0, gid: 0, groups: [], terminal: false },
  hostname: 'buildkitsandbox',
  network: 'host',
  hosts: ['10.0.0.1 other'],
  insecure: false,
  ulimits: [],
};

const facts: BundleFacts = {
  rootfs: '/r',
  hostsFile: '/h',
  resolvFile: '/c',
  sources: [],
  placeOf: (target) => target,
  held: ['CAP_CHOWN', 'CAP_SYS_ADMIN'],
  rlimits: [],
  path: '/bin',
  realRoot: false,
  boundProc: false,
  terminalGroup: true,
};

describe('limits', () => {
  it.each([
    [[], { type: 'RLIMIT_NOFILE', soft: 1024, hard: 20000 }],
    [['nofile=99999'], { type: 'RLIMIT_NOFILE', soft: 20000, hard: 20000 }],
    [['nofile=10:-1'], { type: 'RLIMIT_NOFILE', soft: 10, hard: 20000 }],
    [['stack=-1'], { type: 'RLIMIT_STACK', soft: 2 ** 64, hard: 2 ** 64 }],
  ])('%j', (asked, expected) => {
    expect(rlimits(asked, own)).toContainEqual(expected);
  });

  it.each(['nofiles=1', 'nofile', 'nofile=x', 'nofile=5:4', 'nofile=1.5'])('refuses %s', (text) => {
    expect(() => rlimits([text], own)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('config.json', () => {
  it('never gives more than we hold', () => {
    expect(ociConfig(plan, facts)).toMatchObject({ process: { capabilities: { bounding: ['CAP_CHOWN'] } } });
    const insecure = ociConfig({ ...plan, insecure: true }, facts);
    expect(insecure).toMatchObject({
      process: { capabilities: { bounding: facts.held, inheritable: [], ambient: [] } },
    });
    expect(insecure).not.toHaveProperty('linux.seccomp');
    expect(insecure).not.toHaveProperty('linux.maskedPaths');
  });

  it('has a network namespace for none alone', () => {
    const types = (network: 'host' | 'none') =>
      (
        ociConfig({ ...plan, network }, facts) as { linux: { namespaces: { type: string }[] } }
      ).linux.namespaces.map(({ type }) => type);
    expect(types('host')).toEqual(['pid', 'ipc', 'uts', 'mount']);
    expect(types('none')).toEqual(['pid', 'ipc', 'uts', 'mount', 'network']);
  });

  it('names the step and extra hosts', () => {
    expect(hostsText(plan)).toMatch(/^127\.0\.0\.1\tlocalhost buildkitsandbox\n[\s\S]*10\.0\.0\.1\tother\n$/);
  });
});

function optionsOf(tree: Overlay, names: PathNames): string {
  const mount = overlayMount(tree, '/m', names);
  return mount.kind === 'overlay' ? mount.options : '';
}

describe('overlay options', () => {
  it('names layers of one folder as they are, unless they are too many or their paths mean something to mount', () => {
    const at = (folder: string, count: number) => ({
      lower: Array.from({ length: count }, (_, i) => `${folder}/${'0'.repeat(60)}${i}`),
      upper: '/s/tmp/upper',
      work: '/s/tmp/work',
    });
    const names = plainNames([at('/s/trees', 2)])!;
    const options = optionsOf(at('/s/trees', 2), names);
    expect(names.folder).toBe('/s/trees');
    expect(options).toContain(`lowerdir=${'0'.repeat(60)}0:${'0'.repeat(60)}1,upperdir=/s/tmp/upper,`);
    expect(plainNames([at('/s/trees', 100)])).toBeUndefined();
    expect(plainNames([at('/s/a,b', 2)])).toBeUndefined();
    expect(plainNames([at('/s/trees', 1), at('/s/others', 1)])).toBeUndefined();
  });

  it('stay short for five hundred layers, and refuse one more', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsbuild-names-'));
    try {
      const lower = Array.from({ length: 500 }, (_, at) => `/a/very/long/folder/name/for/a/layer/${at}`);
      const tree = { lower, upper: '/u:,\\p', work: '/w' };
      const names = new ShortNames(join(folder, 'l'));
      const options = optionsOf(tree, names);
      expect(options.length).toBeLessThan(4000);
      expect(options).toMatch(/^lowerdir=2:3:4:.*,upperdir=0,workdir=1,index=off,userxattr,/);
      expect(readdirSync(names.folder)).toHaveLength(502);
      mkdirSync(join(folder, 'other'));
      expect(() => overlayMount({ ...tree, lower: [...lower, '/x'] }, '/m', names)).toThrow('takes 500');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('where no step can run', () => {
  const machine = (settings: Readonly<Record<string, string>>, programs = ['unshare']) => ({
    uid: 1000,
    read: (file: string) => settings[file],
    has: (program: string) => programs.includes(program),
    isSetuid: () => true,
  });

  it.each([
    ['/proc/sys/user/max_user_namespaces', '0', 'user.max_user_namespaces'],
    ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'unprivileged_userns_clone=1'],
    [
      '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
      '1',
      'apparmor_restrict_unprivileged_userns=0',
    ],
    ['/proc/self/status', 'NoNewPrivs:\t1\nSeccomp:\t2', 'seccomp=unconfined'],
    ['/proc/sys/user/max_mnt_namespaces', '0', 'user.max_mnt_namespaces=15000'],
    ['/proc/sys/user/max_pid_namespaces', '0', 'user.max_pid_namespaces=15000'],
    ['', '', 'apparmor=unconfined'],
  ])('names the setting %s', (path, value, hint) => {
    const error = whyNoRun({ ...place, why: 'unshare failed: no' }, machine({ [path]: value }));
    expect(error).toMatchObject({ code: 'sandbox', hint: expect.stringContaining(hint) });
    expect(error.message).toContain('unshare failed: no');
  });

  it('names the program that makes them', () => {
    expect(whyNoRun(place, machine({}, [])).hint).toContain('apt-get install util-linux');
  });

  it.each([
    ['no newuidmap', {}, [], 'uidmap'],
    [
      'unshare: no line matching user "a" in /etc/subuid: Success',
      {},
      ['newuidmap'],
      'usermod --add-subuids',
    ],
    ['newuidmap: write to uid_map failed', {}, ['newuidmap'], 'must be allowed'],
    [
      'newuidmap: write to uid_map failed: Operation not permitted',
      { '/proc/self/status': 'CapBnd:\t00000000a80425fb' },
      ['newuidmap'],
      'setcap cap_setuid+ep',
    ],
    [
      'newuidmap: write to uid_map failed: Operation not permitted',
      { '/proc/self/status': 'CapBnd:\t00000000a804253b' },
      ['newuidmap'],
      '--cap-add SETUID',
    ],
    ['newuidmap failed', { '/proc/self/status': 'NoNewPrivs:\t1' }, ['newuidmap'], 'no_new_privs'],
    ['unshare failed: Operation not permitted', {}, ['newuidmap'], 'apparmor=unconfined'],
  ])('says how to get a range of ids: %s', (why, settings, programs, hint) => {
    const asked = whyNoRun({ ...place, asked: 'subuid', why }, machine(settings, ['unshare', ...programs]));
    expect(asked.message).toContain('`subuid`');
    expect(asked.hint).toContain(hint);
  });

  it.each([
    [0, '00000000a80425fb', true],
    [0, '0000000000000000', false],
    [1000, '00000000a80425fb', false],
  ])('tells root of the way without namespaces, and its price: uid %i with %s', (uid, set, isTold) => {
    const status = `CapPrm:\t${set}\nCapBnd:\t${set}`;
    const { hint } = whyNoRun({ ...place, uid }, { ...machine({ '/proc/self/status': status }), uid });
    expect(/--isolation chroot, which is no boundary: a hostile RUN/.test(hint!)).toBe(isTold);
  });

  it('has an engine that needs no namespace, which says what that costs', async () => {
    const { engine, warning } = await chooseEngine({ ...place, uid: 0, isolation: 'chroot' });
    expect(warning).toContain('isolation `chroot` is no boundary');
    const wanted = { network: 'host', insecure: false, terminal: false } as const;
    expect(engine.check!(wanted)).toBeUndefined();
    for (const more of [
      { network: 'none' },
      { network: 'private' },
      { insecure: true },
      { terminal: true },
    ] as const)
      expect(() => engine.check!({ ...wanted, ...more })).toThrow(
        expect.objectContaining({
          code: 'sandbox',
          message: expect.stringContaining('with isolation `chroot`'),
        }),
      );
    await expect(chooseEngine({ ...place, uid: 0, isolation: 'chroot' }, 'crun')).rejects.toThrow(
      'crun cannot run steps without namespaces',
    );
  });

  it('does not look for remedies where none was wanted', () => {
    expect(whyNoRun({ ...place, asked: 'none' }).message).toBe('RUN cannot work with --isolation none');
  });

  it('says which package has a runtime that is missing', async () => {
    await expect(chooseEngine({ ...place, isolation: 'root' }, 'no-such-runtime')).rejects.toThrow(
      expect.objectContaining({ code: 'sandbox', hint: expect.stringContaining('apt-get install crun') }),
    );
    await expect(chooseEngine(place)).rejects.toThrow(expect.objectContaining({ code: 'sandbox' }));
  });
});

describe('a request to the helper', () => {
  it('has a line for each word, every odd byte escaped', () => {
    expect(requestText(['git', 'a b\n', '', "'\\"], { env: { A: '1' }, cwd: '/x' })).toBe(
      'env A=1\ncwd /x\narg git\narg a\\0040b\\0012\narg \narg \\0047\\0134\nend\n',
    );
  });
});
