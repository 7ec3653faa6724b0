import { describe, expect, it } from 'vitest';
import { type RunInput, recallableRun } from '../../../builder/steps/run.ts';
import type { Tools } from '../../../builder/tools.ts';
import { keyOf } from '../../../src/core/digest.ts';

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
  mounts: [],
  platform: { os: 'linux', architecture: 'amd64' },
  machine: { os: 'linux', architecture: 'amd64' },
  step: '0/2',
};
const options = { addHosts: ['192.0.2.1 one'], ulimits: ['nofile=1:2'], shmSize: 1 };

function keyWith(change: Partial<RunInput>, changedOptions: Partial<typeof options> = {}): string {
  const tools = { options: { ...options, ...changedOptions } } as unknown as Tools;
  return keyOf(recallableRun({ ...run, ...change }, tools).first!);
}

describe('the key of a RUN', () => {
  it.each<Partial<RunInput>>([
    { command: { args: ['/bin/sh', '-c', 'false'], files: [] } },
    { command: { args: ['/bin/sh', '-c', 'true'], files: [{ path: '/dev/pipes/E', content: 'x' }] } },
    { env: new Map([['A', '2']]) },
    { env: new Map([['A1', '']]) },
    { workdir: '/w' },
    { user: '1' },
    { hostname: 'other' },
    { network: 'none' },
    { insecure: true },
    { mounts: [{ type: 'tmpfs', target: '/t' }] },
    { platform: { os: 'linux', architecture: 'arm64' } },
  ])('changes with %j', (change) => expect(keyWith(change)).not.toBe(keyWith({})));

  it.each<Partial<typeof options>>([
    { addHosts: ['192.0.2.1 two'] },
    { ulimits: ['nofile=1:3'] },
    { shmSize: 2 },
  ])('changes with the option %j', (change) => expect(keyWith({}, change)).not.toBe(keyWith({})));

  it.each<Partial<RunInput>>([
    { hiddenEnv: new Map([['HTTP_PROXY', 'http://proxy']]) },
    { freshMounts: true },
    { step: '0/3' },
  ])('stays with %j', (change) => expect(keyWith(change)).toBe(keyWith({})));

  it('stays where only the address of a host changes', () =>
    expect(keyWith({}, { addHosts: ['192.0.2.2 one'] })).toBe(keyWith({})));
});
