import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type BuildRequest, buildArguments } from '../../../src/api/build-request.ts';
import { buildCommand } from '../../../src/cli/build.ts';
import { type BuildFlags, defineBuildFlags } from '../../../src/cli/build-flags.ts';
import { parseCommand } from '../../../src/cli/parse.ts';

/** Every field; a new one has to be added here. */
const request: Required<BuildRequest> = {
  context: '.',
  root: '/store',
  cwd: '/',
  env: {},
  signal: AbortSignal.abort(),
  onEvent: () => {},
  tlsVerify: false,
  authFile: 'auth.json',
  certDir: 'certs',
  registryCertificates: { 'registry.example.com': 'ca.crt' },
  registryMirrors: ['mirror.example.com'],
  registryMaps: { 'quay.io': 'mirror.example.com/quay' },
  retries: 1,
  file: 'Containerfile',
  target: 'app',
  from: 'alpine',
  buildArgs: { A: '1=2, "3"' },
  buildContexts: { more: 'docker-image://alpine' },
  labels: { a: 'b\nc' },
  imageEnv: { X: '--push' },
  unsetEnv: ['Y'],
  annotations: { 'index:a': 'b' },
  platform: 'linux/amd64',
  tags: ['one', 'two'],
  outputs: ['type=oci,dest=a b.tar'],
  push: true,
  load: true,
  format: 'docker',
  squash: true,
  noCache: ['app'],
  cacheFrom: ['type=local,src=cache'],
  cacheTo: ['type=local,dest=cache'],
  cacheMaxAge: '36h',
  pull: 'newer',
  offline: true,
  lock: true,
  frozen: 'other.lock',
  network: 'none',
  volumes: ['/host:/there:ro'],
  secrets: [{ id: 'a', file: 'x,"y"', variable: 'A' }],
  ssh: ['default'],
  allow: ['network.host'],
  addHosts: ['a:192.0.2.1'],
  dns: ['192.0.2.1'],
  dnsSearch: ['example.com'],
  dnsOptions: ['ndots:2'],
  memory: 1,
  memorySwap: -1,
  cpus: 1.5,
  cpusetCpus: '0-1',
  pidsLimit: 10,
  ulimits: ['nofile=10:20'],
  shmSize: 1,
  capAdd: ['NET_ADMIN'],
  capDrop: ['ALL'],
  securityOpts: ['no-new-privileges'],
  isolation: 'single',
  runtime: 'builtin',
  jobs: 2,
  report: 'report.html',
  sourceDateEpoch: 0,
  ignoreFile: '.ignore',
  provenance: 'mode=max',
  sbom: true,
  sign: 'env://KEY',
  enable: ['include'],
};

describe('the flags of a request', () => {
  it('are flags of build, each value one word', () => {
    const command = parseCommand(buildCommand, buildArguments(request), () => {});
    expect(command?.opts<BuildFlags>()).toMatchObject({
      buildArg: ['A=1=2, "3"'],
      label: ['a=b\nc'],
      env: ['X=--push'],
      secret: ['"id=a","src=x,""y"""'],
      cacheFilter: ['app'],
      lock: '',
      frozen: 'other.lock',
      memorySwap: '-1',
    });
  });

  it('are all that build has, but for what a program does without', () => {
    const given = new Set(buildArguments(request).map((word) => word.replace(/=.*/s, '')));
    const all = defineBuildFlags(new Command()).options.filter((option) => !option.hidden);
    const absent = all.map(({ long }) => long!).filter((flag) => !given.has(flag));
    expect(absent.filter((flag) => !withoutUse.includes(flag))).toEqual([]);
  });
});

const withoutUse: readonly string[] = [
  // What they give is in the result, in events, or a call of its own.
  ...['--iidfile', '--metadata-file', '--digest-file', '--progress', '--quiet', '--debug', '--explain'],
  ...['--call', '--check'],
  // Another field says the same.
  ...[
    '--no-cache',
    '--squash-all',
    '--timestamp',
    '--destination',
    '--os',
    '--arch',
    '--variant',
    '--attest',
  ],
  ...['--build-arg-file', '--cpu-quota', '--cpu-period'],
  // Others see them in the list of processes; times between tries are for people who watch.
  ...['--creds', '--retry-delay'],
  // Who uses them sits at a terminal.
  ...['--debug-shell', '--break'],
];
