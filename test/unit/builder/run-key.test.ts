import { describe, expect, it } from 'vitest';
import { recallableRun } from '../../../builder/steps/run.ts';
import type { RunInput } from '../../../builder/steps/run-input.ts';
import type { MountOf } from '../../../builder/steps/run-mounts.ts';
import type { Tools } from '../../../builder/tools.ts';
import { keyOf } from '../../../src/core/digest.ts';

const owner = { mode: 0o400, uid: 0, gid: 0 };
const cache: MountOf<'cache'> = {
  ...{ type: 'cache', target: '/c', id: 'a', sharing: 'shared', readonly: false },
  ...owner,
};
const secret: MountOf<'secret'> = { type: 'secret', id: 's', target: '/s', required: false, ...owner };
const ssh: MountOf<'ssh'> = { type: 'ssh', id: 'default', target: '/agent', required: false, ...owner };
const tmpfs: MountOf<'tmpfs'> = { type: 'tmpfs', target: '/t', sizeBytes: 1 };

function source(content: string): MountOf<'bind'>['source'] {
  const reads = { firstKey: undefined, contentKey: async () => content };
  return { path: '/', reads: reads as unknown as Required<MountOf<'bind'>['source']>['reads'] };
}
const bind: MountOf<'bind'> = { type: 'bind', target: '/b', writable: false, source: source('one') };

const run: RunInput = {
  command: { args: ['/bin/sh', '-c', 'true'], files: [] },
  env: new Map([['A', '1']]),
  hiddenEnv: new Map(),
  workdir: '/',
  user: '',
  hostname: 'buildkitsandbox',
  freshMounts: false,
  network: 'host',
  insecure: false,
  recording: 'all' as const,
  mounts: [bind, cache, tmpfs, secret, ssh],
  platform: { os: 'linux', architecture: 'amd64' },
  machine: { os: 'linux', architecture: 'amd64' },
  step: '0/2',
  shown: {
    name: '[2/2] RUN true',
    location: { file: 'Containerfile', startLine: 2, startColumn: 1, endLine: 2, endColumn: 9 },
  },
  shell: ['/bin/sh', '-c'],
};
const options = {
  addHosts: ['192.0.2.1 one'],
  ulimits: ['nofile=1:2'],
  shmSize: 1,
  secrets: [{ id: 's', env: 'S' }],
  ssh: [{ id: 'default', paths: ['/socket'] }],
  allow: ['security.insecure'],
  jobs: 1,
  dns: {},
  limits: {},
};

async function keyWith(change: Partial<RunInput>, changed: Partial<typeof options> = {}): Promise<string> {
  const tools = { options: { ...options, ...changed } } as unknown as Tools;
  const { content } = recallableRun({ ...run, ...change }, tools);
  return keyOf(await content!({} as never));
}

/** The mounts with one of them changed. */
function mounts<Mount extends RunInput['mounts'][number]>(mount: Mount, change: Partial<Mount>) {
  return { mounts: run.mounts.map((one) => (one.type === mount.type ? { ...mount, ...change } : one)) };
}

describe('the key of a RUN', () => {
  it.each<[string, Partial<RunInput>]>([
    ['arguments', { command: { args: ['/bin/sh', '-c', 'false'], files: [] } }],
    ['the shell', { command: { args: ['/bin/sh', '-e', '-c', 'true'], files: [] } }],
    ['where an argument ends', { command: { args: ['/bin/sh', '-c true'], files: [] } }],
    ['a script', { command: { args: run.command.args, files: [{ path: '/dev/pipes/E', content: 'x' }] } }],
    ['a value', { env: new Map([['A', '2']]) }],
    ['a name', { env: new Map([['A1', '']]) }],
    ['a variable that is not used', { env: new Map([...run.env, ['B', '']]) }],
    ['the folder', { workdir: '/w' }],
    ['the user', { user: '1' }],
    ['the host name', { hostname: 'other' }],
    ['the network', { network: 'none' }],
    ['a network of its own', { network: 'private' }],
    ['security', { insecure: true }],
    ['the architecture', { platform: { os: 'linux', architecture: 'arm64' } }],
    ['the variant', { platform: { os: 'linux', architecture: 'amd64', variant: 'v3' } }],
    ['a mount less', { mounts: [bind, cache, tmpfs, secret] }],
    ['the order of mounts', { mounts: [cache, bind, tmpfs, secret, ssh] }],
    ['where files are mounted', mounts(bind, { target: '/b2' })],
    ['whether they can be written', mounts(bind, { writable: true })],
    ['the files that are mounted', mounts(bind, { source: source('two') })],
    ['where a cache is mounted', mounts(cache, { target: '/c2' })],
    ['whether it can be written', mounts(cache, { readonly: true })],
    ['what a cache begins with', mounts(cache, { source: source('seed') })],
    ['the size of a tmpfs', mounts(tmpfs, { sizeBytes: 2 })],
    ['the id of a secret', mounts(secret, { id: 's2' })],
    ['where a secret is mounted', mounts(secret, { target: '/s2' })],
    ['the variable of a secret', mounts(secret, { env: 'S' })],
    ['the mode of a secret', mounts(secret, { mode: 0o440 })],
    ['the owner of a secret', mounts(secret, { uid: 1 })],
    ['the id of an agent', mounts(ssh, { id: 'other' })],
    ['where an agent is mounted', mounts(ssh, { target: '/agent2' })],
    ['the mode of an agent', mounts(ssh, { mode: 0o660 })],
  ])('changes with %s', async (_, change) => expect(await keyWith(change)).not.toBe(await keyWith({})));

  it.each<[string, Partial<typeof options>]>([
    ['the name of a host', { addHosts: ['192.0.2.1 two'] }],
    ['a limit', { ulimits: ['nofile=1:3'] }],
    ['the size of /dev/shm', { shmSize: 2 }],
  ])('changes with %s', async (_, changed) => expect(await keyWith({}, changed)).not.toBe(await keyWith({})));

  it.each<[string, Partial<RunInput>]>([
    ['a proxy', { hiddenEnv: new Map([['HTTP_PROXY', 'http://proxy']]) }],
    ['--no-cache', { freshMounts: true }],
    ["the step's number", { step: '0/3' }],
    ['the id of a cache', mounts(cache, { id: 'b' })],
    ['the sharing of a cache', mounts(cache, { sharing: 'locked' })],
    ['the owner of a new cache', mounts(cache, { uid: 7, mode: 0o700 })],
    ['whether a secret must be there', mounts(secret, { required: true })],
    ['whether an agent must be there', mounts(ssh, { required: true })],
  ])('stays with %s', async (_, change) => expect(await keyWith(change)).toBe(await keyWith({})));

  it.each<[string, Partial<typeof options>]>([
    ['the address of a host', { addHosts: ['192.0.2.2 one'] }],
    ['where a secret comes from', { secrets: [{ id: 's', env: 'T' }] }],
    ['which agent there is', { ssh: [] }],
    ['name servers', { dns: { servers: ['192.0.2.53'] } }],
    ['how much it may use', { limits: { memoryBytes: 1, pids: 1 } }],
    ['what is allowed', { allow: [] }],
    ['how many steps work at once', { jobs: 2 }],
  ])('stays with %s', async (_, changed) => expect(await keyWith({}, changed)).toBe(await keyWith({})));
});
