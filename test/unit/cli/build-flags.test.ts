import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCommand, imagesNamed } from '../../../src/cli/build.ts';
import type { BuildFlags } from '../../../src/cli/build-flags.ts';
import { buildOptions, ignoredOf, type WrittenOptions } from '../../../src/cli/build-options.ts';
import { registryOptions } from '../../../src/cli/flags.ts';
import { kaniko } from '../../../src/cli/kaniko.ts';
import { parseCommand } from '../../../src/cli/parse.ts';
import { BuildError } from '../../../src/core/errors.ts';
import { fakeHost } from './fake-host.ts';

let cwd = '';
const env: Record<string, string> = { FROM_ENV: 'env value', SECRET_VAR: 's' };
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'tsbuild-flags-'));
  env.SSH_AUTH_SOCK = join(cwd, 'agent');
  mkdirSync(join(cwd, 'ctx'));
  writeFileSync(join(cwd, 'ctx/Inner'), '');
  writeFileSync(join(cwd, 'Outer'), '');
  writeFileSync(join(cwd, 'args'), '# comment\n\nA=from file\nB=two=2\nFROM_ENV\n');
  writeFileSync(join(cwd, 'token'), 's');
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

function flagsOf(args: readonly string[]): { flags: BuildFlags; words: readonly string[] } {
  const command = parseCommand(buildCommand, args, () => {});
  if (command === undefined) throw new Error('help was printed');
  return { flags: command.opts<BuildFlags>(), words: command.args };
}

function read(args: readonly string[], given: Record<string, string> = env): WrittenOptions {
  const { flags, words } = flagsOf(args);
  return buildOptions(flags, words, fakeHost({ cwd, env: given }));
}

function refusal(args: readonly string[]): BuildError {
  try {
    read(args);
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
  throw new Error(`not refused: ${args.join(' ')}`);
}

/** Arguments (a context is added), and the fields of the options that they set. `@` stands for the folder. */
const rows: readonly (readonly [string, object])[] = [
  [
    '',
    {
      context: '@/ctx',
      tags: [],
      outputs: [],
      format: 'oci',
      noCache: false,
      pull: 'missing',
      network: 'host',
    },
  ],
  ['-f Outer', { file: '@/Outer' }],
  ['--file=Outer', { file: '@/Outer' }],
  ['-f Inner', { file: '@/ctx/Inner' }],
  ['-f -', { file: '-' }],
  ['--target dist', { target: 'dist' }],
  ['--build-arg A=1 --build-arg B= --build-arg C=x=y', { buildArgs: { A: '1', B: '', C: 'x=y' } }],
  ['--build-arg FROM_ENV --build-arg UNSET_ONE', { buildArgs: { FROM_ENV: 'env value' } }],
  ['--build-arg-file args', { buildArgs: { A: 'from file', B: 'two=2', FROM_ENV: 'env value' } }],
  [
    '--build-arg A=flag --build-arg-file args',
    { buildArgs: { A: 'flag', B: 'two=2', FROM_ENV: 'env value' } },
  ],
  ['--ignorefile my.ignore', { ignoreFile: '@/my.ignore' }],
  ['--platform linux/arm64', { platforms: [{ os: 'linux', architecture: 'arm64' }] }],
  ['--platform linux/arm64/v8', { platforms: [{ os: 'linux', architecture: 'arm64' }] }],
  ['--platform linux/arm/v7', { platforms: [{ os: 'linux', architecture: 'arm', variant: 'v7' }] }],
  ['--platform macos/arm64', { platforms: [{ os: 'darwin', architecture: 'arm64' }] }],
  ['--platform linux/x86_64', { platforms: [{ os: 'linux', architecture: 'amd64' }] }],
  [
    '--platform amd64,arm64 --platform linux/arm64/v8',
    {
      platforms: [
        { os: 'linux', architecture: 'amd64' },
        { os: 'linux', architecture: 'arm64' },
      ],
    },
  ],
  ['--enable include --enable reset,optional-copy', { enable: ['include', 'reset', 'optional-copy'] }],
  [
    '--build-context a=dir --build-context b=docker-image://alpine',
    { contexts: { a: '@/dir', b: 'docker-image://alpine' } },
  ],
  [
    '--ssh default --ssh k=token,Outer',
    {
      ssh: [
        { id: 'default', paths: ['@/agent'] },
        { id: 'k', paths: ['@/token', '@/Outer'] },
      ],
    },
  ],
  ['--platform aarch64', { platforms: [{ os: 'linux', architecture: 'arm64' }] }],
  ['--label a=1 --label b', { labels: { a: '1', b: '' } }],
  [
    '--annotation a=1 --annotation manifest:b=2',
    {
      annotations: [
        { level: 'manifest', name: 'a', value: '1' },
        { level: 'manifest', name: 'b', value: '2' },
      ],
    },
  ],
  ['-t one -t two', { tags: ['one', 'two'], outputs: [] }],
  ['-t=one --tag=two', { tags: ['one', 'two'] }],
  ['-tone', { tags: ['one'] }],
  ['-qt one', { tags: ['one'] }],
  ['-d r/x', { tags: ['r/x'], outputs: [{ type: 'registry', names: ['r/x'] }] }],
  ['-t a -d r/x', { tags: ['a', 'r/x'], outputs: [{ type: 'registry', names: ['a', 'r/x'] }] }],
  ['-t a --push', { outputs: [{ type: 'registry', names: ['a'] }] }],
  ['-t a --push=true', { outputs: [{ type: 'registry', names: ['a'] }] }],
  ['-t a --push --push=false', { outputs: [] }],
  ['--load', { outputs: [{ type: 'load' }] }],
  ['--iidfile id --metadata-file meta.json', { iidFile: '@/id', metadataFile: '@/meta.json' }],
  ['-o out', { outputs: [{ type: 'local', dest: '@/out' }] }],
  ['-o -', { outputs: [{ type: 'tar', dest: '-' }] }],
  ['-o type=local,dest=out', { outputs: [{ type: 'local', dest: '@/out' }] }],
  ['-o type=tar,dest=x.tar', { outputs: [{ type: 'tar', dest: '@/x.tar' }] }],
  ['-o type=oci,dest=x.tar', { outputs: [{ type: 'oci', dest: '@/x.tar', tar: true }] }],
  ['-o type=oci', { outputs: [{ type: 'oci', dest: '-', tar: true }] }],
  ['-o type=oci,dest=x,tar=false,name=n', { outputs: [{ type: 'oci', dest: '@/x', tar: false, name: 'n' }] }],
  [
    '-o type=docker,dest=x.tar,compression=gzip',
    { outputs: [{ type: 'docker', dest: '@/x.tar', tar: true, compression: 'gzip' }] },
  ],
  ['-o type=docker', { outputs: [{ type: 'load' }] }],
  ['-o type=registry -t a', { outputs: [{ type: 'registry', names: ['a'] }] }],
  [
    '-o type=registry,"name=a,b",compression=zstd',
    { outputs: [{ type: 'registry', names: ['a', 'b'], compression: 'zstd' }] },
  ],
  ['-o "type=oci","dest=a,b"', { outputs: [{ type: 'oci', dest: '@/a,b', tar: true }] }],
  [
    '-o out -o type=tar,dest=y',
    {
      outputs: [
        { type: 'local', dest: '@/out' },
        { type: 'tar', dest: '@/y' },
      ],
    },
  ],
  ['--format docker', { format: 'docker' }],
  ['--no-cache', { noCache: true }],
  ['--no-cache --no-cache=false', { noCache: false }],
  ['--no-cache-filter a,b --no-cache-filter c', { noCache: ['a', 'b', 'c'] }],
  ['--pull', { pull: 'always' }],
  ['--pull=newer', { pull: 'newer' }],
  ['--pull=never', { pull: 'never' }],
  ['--pull=true', { pull: 'always' }],
  ['--pull=false', { pull: 'missing' }],
  ['--offline', { pull: 'never' }],
  ['--offline --pull=never', { pull: 'never' }],
  ['--lock', { lock: { mode: 'write' } }],
  ['--lock=pins', { lock: { mode: 'write', file: '@/pins' } }],
  ['--frozen', { lock: { mode: 'frozen' } }],
  ['--frozen=pins --offline', { lock: { mode: 'frozen', file: '@/pins' }, pull: 'never' }],
  ['--runtime runc', { runtime: 'runc' }],
  ['--runtime ./my', { runtime: '@/my' }],
  ['--network none', { network: 'none' }],
  ['--network private', { network: 'private' }],
  ['--network=default', { network: 'host' }],
  ['--dns 192.0.2.1 --dns fd00::53', { dns: { servers: ['192.0.2.1', 'fd00::53'] } }],
  ['--dns-search . --dns-option ndots:2', { dns: { search: ['.'], options: ['ndots:2'] } }],
  ['-m 1g', { limits: { memoryBytes: 2 ** 30 } }],
  ['--memory=1g --memory-swap=-1', { limits: { memoryBytes: 2 ** 30, swapBytes: 'unlimited' } }],
  ['--memory 1g --memory-swap 3g', { limits: { memoryBytes: 2 ** 30, swapBytes: 2 ** 31 } }],
  ['--memory 0 --cpus 0 --pids-limit -1', { limits: {} }],
  ['--cpus 1.5', { limits: { cpu: { quotaUs: 150_000, periodUs: 100_000 } } }],
  ['--cpu-quota 25000', { limits: { cpu: { quotaUs: 25_000, periodUs: 100_000 } } }],
  ['--cpu-quota 25000 --cpu-period 50000', { limits: { cpu: { quotaUs: 25_000, periodUs: 50_000 } } }],
  ['--cpuset-cpus 0-2,4 --pids-limit 100', { limits: { cpuset: '0-2,4', pids: 100 } }],
  ['--add-host a:1.2.3.4 --add-host b=5.6.7.8', { addHosts: ['1.2.3.4 a', '5.6.7.8 b'] }],
  ['--add-host machine:host-gateway', { addHosts: ['host-gateway machine'] }],
  ['--add-host v6:::1 --add-host w6=[fe80::1]', { addHosts: ['::1 v6', 'fe80::1 w6'] }],
  ['--secret id=a,src=token', { secrets: [{ id: 'a', file: '@/token' }] }],
  ['--secret type=file,id=a,source=token', { secrets: [{ id: 'a', file: '@/token' }] }],
  ['--secret id=a,env=SECRET_VAR', { secrets: [{ id: 'a', env: 'SECRET_VAR' }] }],
  ['--secret id=SECRET_VAR', { secrets: [{ id: 'SECRET_VAR', env: 'SECRET_VAR' }] }],
  ['--secret id=token', { secrets: [{ id: 'token', file: '@/token' }] }],
  ['--ulimit nofile=1024:2048 --ulimit core=unlimited', { ulimits: ['nofile=1024:2048', 'core=-1'] }],
  ['--shm-size 64m', { shmSize: 64 * 1024 * 1024 }],
  ['--jobs 3', { jobs: 3 }],
  ['--source-date-epoch 1700000000', { sourceDateEpoch: 1_700_000_000 }],
  [
    '--cache-from r/x --cache-from type=local,src=c,tag=t',
    {
      cacheFrom: [
        { type: 'registry', name: 'r/x' },
        { type: 'local', folder: '@/c', tag: 't' },
      ],
    },
  ],
  ['--cache-from a,b', { cacheFrom: [{ name: 'a' }, { name: 'b' }] }],
  [
    '--cache-to r/x',
    { cacheTo: [{ site: { type: 'registry', name: 'r/x' }, mode: 'min', ignoreError: false }] },
  ],
  [
    '--cache-to type=local,dest=c,mode=max,compression=zstd,ignore-error=true,image-manifest=true,oci-mediatypes=true',
    {
      cacheTo: [
        {
          site: { type: 'local', folder: '@/c', tag: 'latest' },
          mode: 'max',
          compression: 'zstd',
          ignoreError: true,
        },
      ],
    },
  ],
  [
    '--cache-from type=s3,bucket=b,region=r,prefix=p/,name=n,endpoint_url=http://h:1 --cache-from type=s3,bucket=b',
    {
      cacheFrom: [
        {
          type: 's3',
          name: 'n',
          bucket: 'b',
          region: 'r',
          prefix: 'p/',
          endpoint: 'http://h:1',
          pathStyle: true,
        },
        { type: 's3', name: 'tsbuild', bucket: 'b', prefix: '', pathStyle: false },
      ],
    },
  ],
  ['--cache-from type=gha,scope=x', { cacheFrom: [{ type: 'gha', scope: 'x' }] }],
  [
    '--cache-to type=gha,mode=max,mounts=a;b',
    { cacheTo: [{ site: { type: 'gha', scope: 'main' }, mode: 'max', mounts: ['a', 'b'] }] },
  ],
  ['--cache-to type=inline', { cacheTo: [{ site: { type: 'inline' } }] }],
  ['--build-arg BUILDKIT_INLINE_CACHE=1', { cacheTo: [{ site: { type: 'inline' } }] }],
  ['--cache-max-age 2h', { cacheMaxAgeMs: 7_200_000 }],
  ['--from alpine:3', { from: 'alpine:3' }],
  [
    '--env A=1 --env FROM_ENV --env NOT_SET --unsetenv B --unsetenv C',
    { env: { A: '1', FROM_ENV: 'env value' }, unsetEnv: ['B', 'C'] },
  ],
  ['--os linux --arch arm64', { platforms: [{ os: 'linux', architecture: 'arm64' }] }],
  ['--arch arm --variant v7', { platforms: [{ os: 'linux', architecture: 'arm', variant: 'v7' }] }],
  ['--timestamp 5', { sourceDateEpoch: 5 }],
  ['--squash', { squash: 'new' }],
  ['--squash=false', { squash: undefined }],
  ['--squash --squash-all', { squash: 'all' }],
  ['--digest-file d', { digestFile: '@/d' }],
  ['-v ./ctx:/c --volume ./ctx:/d:ro', { volumes: [{ target: '/c', mode: 'rw' }, { mode: 'ro' }] }],
  [
    '--cap-add sys_admin,CAP_CHOWN --cap-add sys_admin --cap-drop all',
    { rights: { add: ['CAP_CHOWN', 'CAP_SYS_ADMIN'], drop: ['ALL'] } },
  ],
  ['--security-opt seccomp=unconfined', { rights: { unfiltered: true } }],
  ['--security-opt no-new-privileges', { rights: { noNewPrivileges: true } }],
  ['--security-opt no-new-privileges:true', { rights: { noNewPrivileges: true } }],
  ['--security-opt apparmor=unconfined --security-opt label=disable', { rights: undefined }],
  [
    '-o type=oci,dest=x,compression=zstd,compression-level=19',
    { outputs: [{ compression: 'zstd-19', dest: '@/x' }] },
  ],
  ['-o type=oci,dest=x,compression-level=9', { outputs: [{ compression: 'gzip-9' }] }],
  [
    '-o type=oci,dest=x,force-compression=true',
    { outputs: [{ compression: 'gzip', forceCompression: true }] },
  ],
  ['-o type=oci,dest=x,rewrite-timestamp=false', { keepTimes: true }],
  ['-o type=oci,dest=x,rewrite-timestamp=true', { keepTimes: undefined }],
  ['--attest type=provenance,mode=max', { attest: { provenance: { mode: 'max' } } }],
];

/** Kaniko's flags, row by row: what they stand for. */
const kanikoRows: readonly (readonly [string, object])[] = [
  ['--dockerfile Outer', { file: '@/Outer' }],
  ['--no-push -d r/x', { tags: ['r/x'], outputs: [] }],
  ['-d r/x --no-push', { tags: ['r/x'], outputs: [] }],
  ['-d r/x --no-push=false', { outputs: [{ type: 'registry', names: ['r/x'] }] }],
  ['--tar-path=x.tar', { outputs: [{ type: 'docker', dest: '@/x.tar', tar: true }] }],
  ['--tar-path a,b.tar', { outputs: [{ type: 'docker', dest: '@/a,b.tar', tar: true }] }],
  ['--oci-layout-path x', { outputs: [{ type: 'oci', dest: '@/x', tar: false }] }],
  ['--cache=true', { noCache: false }],
  ['--cache', { noCache: false }],
  ['--cache=false', { noCache: true }],
  [
    '--cache-repo r/x',
    {
      cacheFrom: [{ type: 'registry', name: 'r/x' }],
      cacheTo: [{ site: { type: 'registry', name: 'r/x' }, mode: 'max' }],
    },
  ],
  ['--cache-ttl 6h', { cacheMaxAgeMs: 21_600_000 }],
  ['--reproducible', { sourceDateEpoch: 0 }],
  ['--reproducible=false', {}],
  ['--custom-platform linux/arm64', { platforms: [{ os: 'linux', architecture: 'arm64' }] }],
  ['--image-name-with-digest-file n', { nameDigestFile: '@/n' }],
  ['--image-name-tag-with-digest-file n', { nameTagDigestFile: '@/n' }],
  ['--digest-file=n', { digestFile: '@/n' }],
  ['--target x --build-arg A=1 --label a=b', { target: 'x', buildArgs: { A: '1' }, labels: { a: 'b' } }],
];

/** Those that say how registries are reached. */
const kanikoRegistryRows: readonly (readonly [string, object])[] = [
  ['--insecure', { tlsVerify: false }],
  ['--skip-tls-verify', { tlsVerify: false }],
  ['--insecure-pull', { tlsVerify: false }],
  ['--skip-tls-verify-pull=true', { tlsVerify: false }],
  ['--insecure=false', { tlsVerify: true }],
  ['--push-retry 7', { retries: 7 }],
  [
    '--registry-certificate a.example:5000=ca.crt --registry-certificate b=/x/ca',
    { certificates: { 'a.example:5000': '@/ca.crt', b: '/x/ca' } },
  ],
];

/** Arguments, a piece of the message, and a piece of the hint. */
const refusals: readonly (readonly [string, string, string])[] = [
  ['--ssh =x', 'has no id', '--ssh default'],
  ['--ssh a=nothing', 'there is no file', 'keys'],
  ['--ssh default --ssh default=token', 'is given twice', 'another id'],
  ['--allow network.hots', "does not know 'network.hots'", 'Did you mean network.host?'],
  ['--allow everything', "does not know 'everything'", 'network.host and security.insecure'],
  ['--tagg a', 'unknown flag --tagg', 'Did you mean --tag?'],
  ['--buildarg A=1', 'unknown flag --buildarg', 'Did you mean --build-arg?'],
  ['--cache-form r', 'unknown flag --cache-form', 'Did you mean --cache-from?'],
  ['--cache-from type=inline', "does not know the type 'inline'", 'registry, local'],
  ['--cache-from type=registry', 'has no ref', 'ref='],
  ['--cache-from ref=a', 'has no type', 'type=registry,ref=NAME'],
  ['--cache-from type=local,mode=x', "does not know 'mode'", 'src'],
  ['--cache-from type=azblob,name=x', "does not know the type 'azblob'", 'registry'],
  ['--cache-from type=local,src=c,digest=sha256:../x', 'that is no digest', 'sha256:'],
  ['--cache-from type=s3,bucket=b,secret_access_key=x', "does not know 'secret_access_key'", ''],
  ['--cache-to type=local,src=x', "does not know 'src'", 'dest'],
  ['--cache-to type=registry,ref=a,mode=all', "'all' is not known", 'min or max'],
  ['--cache-to type=registry,ref=a,image-manifest=false', 'always an OCI image manifest', 'image-manifest'],
  ['--cache-to type=inline,mode=max', 'keeps its own layers', 'type=registry'],
  ['--cache-to type=registry,ref', "'ref' has no value", 'ref=NAME'],
  ['--meta x', 'unknown flag --meta', 'Did you mean --metadata-file?'],
  ['-Z', 'unknown flag -Z', '--help'],
  ['-t', '-t needs a value', '--tag=VALUE'],
  ['--target --push', '--target needs a value', '--target VALUE'],
  ['--push=maybe', '--push takes true or false', '--push=false'],
  ['second', "not also 'second'", '--help'],
  ['--build-arg =x', "--build-arg '=x' has no name", 'NAME=VALUE'],
  ['--build-arg-file nowhere', 'cannot be read (ENOENT)', ''],
  ['--annotation a', 'has no value', '--annotation NAME=VALUE'],
  ['--annotation index:a=1', 'a single image has no index', ''],
  ['--platform windows/amd64', 'images for Windows', 'linux/arm64'],
  ['--platform pdp11', 'is not a platform', 'OS/ARCH'],
  ['--push', '--push has no name', '-t NAME'],
  ['-o type=oci,dst=x', "does not know 'dst'", 'dest'],
  ['-o type=ocl,dest=x', "does not know the type 'ocl'", 'Did you mean oci?'],
  ['-o dest=x', 'has no type', 'type=oci'],
  ['-o type=registry', 'has no name to push to', '-t NAME'],
  ['-o type=docker,dest=x,tar=false', 'only type=oci', 'type=oci,tar=false'],
  ['-o type=oci,tar=false', 'a folder cannot go to stdout', 'dest=DIR'],
  ['-o type=local,dest=-', 'a folder cannot go to stdout', 'type=tar'],
  ['-o type=oci,dest=x,compression=lz4', "'lz4' is not known", 'gzip or zstd'],
  ['-o - -o type=oci', 'two outputs go to stdout', 'dest=FILE'],
  ['-o "type=oci', 'a quote that does not end', ''],
  ['--format v3', "--format 'v3' is not known", '--format=oci or docker'],
  ['--pull=sometimes', "--pull 'sometimes' is not known", 'always or missing'],
  ['--offline --pull', '--pull=always does', 'Keep one'],
  ['--offline --push -t a', 'pushing does', 'Keep one'],
  ['--offline --cache-to r/cache', '--cache-to does', 'type=local'],
  ['--lock --frozen', '--frozen goes by it', 'Keep one'],
  ['--network bridge', "--network 'bridge' is not known", 'host or none or private'],
  ['--dns resolver', "--dns 'resolver' is not an address", '192.0.2.53'],
  ['--dns none', "--dns 'none' is not an address", '192.0.2.53'],
  ['--dns-search=a\tb', 'is not one word', 'Repeat --dns-search'],
  ['--memory 1m', 'less than a step can start with', '6m'],
  ['--memory lots', "--memory 'lots' is not a size", '64m'],
  ['--memory-swap 1g', '--memory-swap needs --memory', 'Add --memory'],
  ['-m 1g --memory-swap 512m', 'is less than --memory', 'both together'],
  ['--cpus many', "--cpus 'many' is not a number", '1.5'],
  ['--cpus 0.001', "--cpus '0.001'", 'the least is 0.01'],
  ['--cpus 1 --cpu-quota 50000', 'say the same in two ways', 'one of them'],
  ['--cpu-quota 5', "--cpu-quota '5' is not a whole number from 1000", '--cpu-quota 1000'],
  ['--cpuset-cpus 0..2', "--cpuset-cpus '0..2'", '0-2,4'],
  ['--pids-limit x', "--pids-limit 'x' is not a whole number", '--pids-limit 4'],
  ['--add-host nothing', "'nothing' is not a host", 'NAME:IP'],
  ['--secret src=x', 'has no id', 'id=NAME'],
  ['--secret id=x,src=nowhere', 'there is no file', 'src=FILE'],
  ['--secret id=x,env=NOT_SET', 'NOT_SET is not set', 'Export NOT_SET'],
  ['--secret id=x,src=a,env=b', 'both a file and a variable', ''],
  ['--secret id=x,mode=1', "does not know 'mode'", ''],
  ['--ulimit nofiles=1', "does not know 'nofiles'", 'Did you mean nofile?'],
  ['--ulimit nofile', 'is not a limit', 'nofile=1024:2048'],
  ['--ulimit nofile=9:8', 'above the hard one', ''],
  ['--shm-size big', 'is not a size', '64m'],
  ['--jobs 0', 'not a whole number from 1', '--jobs 4'],
  ['--source-date-epoch 1 --timestamp 1', 'say the same in two ways', 'Keep one'],
  ['--timestamp now', "--timestamp 'now' is not a time", 'seconds since 1970'],
  ['--platform linux/arm64 --arch arm64', 'say the same in two ways', 'Keep one'],
  ['--os windows', 'images for Windows', 'linux/arm64'],
  ['--volume data:/d', 'no named volumes', ':ro'],
  ['--cap-add SYS_ADMN', "'SYS_ADMN' is no capability", 'CAP_SYS_ADMIN'],
  ['--security-opt seccomp=profile.json', 'profiles are not read', '--cap-add'],
  ['--security-opt apparmor=mine', 'profiles and labels of their own', 'seccomp=unconfined'],
  ['--security-opt systempaths=unconfined', 'is not known', 'no-new-privileges'],
  ['--squash --cache-to type=inline', 'cannot be a cache', 'type=registry'],
  ['-o type=oci,dest=x,compression-level=10', 'gzip knows no 10', '0 to 9'],
  ['-o type=oci,dest=x,compression=uncompressed,compression-level=1', 'has no level', 'away'],
  ['-o type=oci,dest=x,rewrite-timestamp=false -o a', 'cannot both keep and lose', 'in every -o'],
  ['-o type=local,dest=x,compression=gzip', "does not know 'compression'", 'dest'],
  ['--source-date-epoch yesterday', 'is not a time', 'seconds since 1970'],
];

/** Words as a shell splits them: quotes here stay, for `-o` reads them itself. */
function words(text: string): string[] {
  return text.split(' ').filter((word) => word !== '');
}

function placed(value: object): object {
  return JSON.parse(JSON.stringify(value).replaceAll('"@/', `"${cwd}/`)) as object;
}

describe('flags of build', () => {
  it.each(rows)('%s', (args, expected) => {
    expect(read([...words(args), 'ctx'])).toMatchObject(placed(expected));
    expect(read(['ctx', ...words(args)])).toMatchObject(placed(expected));
  });

  it.each(kanikoRows)('of kaniko: %s', (args, expected) => {
    expect(read([...words(args), 'ctx'])).toMatchObject(placed(expected));
  });

  it.each(kanikoRegistryRows)('of kaniko: %s', (args, expected) => {
    const { flags } = flagsOf([...words(args), 'ctx']);
    expect(registryOptions(flags, (path) => resolve(cwd, path), [])).toMatchObject(placed(expected));
  });

  it('has a row for each flag of kaniko', () => {
    const told = [...kanikoRows, ...kanikoRegistryRows].map(([args]) => args).join(' ');
    const others = ['--context', '-c'];
    expect(Object.keys(kaniko).filter((name) => !told.includes(name) && !others.includes(name))).toEqual([]);
  });

  it.each(['-c ctx', '--context=ctx', '--context dir://ctx'])('of kaniko: %s', (args) => {
    expect(read(words(args)).context).toBe(join(cwd, 'ctx'));
  });

  it.each(refusals)('refuses %s', (args, message, hint) => {
    const error = refusal(['ctx', ...words(args)]);
    expect(error.code).toBe('usage');
    expect(error.message).toContain(message);
    expect(error.hint ?? '').toContain(hint);
  });

  it('takes addresses as they stand, and a Containerfile inside of them', () => {
    const git = 'https://example.org/x.git#v1:sub';
    for (const text of [
      git,
      'git@example.org:x/y',
      'ssh://example.org/x',
      'github.com/x/y',
      'http://e.org/x.tar',
    ])
      expect(read([text]).context).toBe(text);
    expect(read([git, '-f', 'deep/Containerfile']).file).toBe('deep/Containerfile');
    expect(read(['ctx', '-f', 'https://e.org/Containerfile']).file).toBe('https://e.org/Containerfile');
    expect(refusal(['s3://bucket/x']).message).toContain('no kind that can be fetched');
  });

  it('takes -, and refuses what is no folder', () => {
    expect(read(['-']).context).toBe('-');
    expect(refusal(['nowhere']).message).toBe(`there is no folder ${cwd}/nowhere`);
    expect(refusal([]).message).toBe('no context is named');
    expect(refusal(['-', '-f', '-']).message).toContain('cannot both come from stdin');
  });

  it('takes entitlements, and no agent where there is none', () => {
    expect(read(['ctx', '--allow', 'security.insecure', '--allow', 'network.host']).allow).toEqual([
      'security.insecure',
      'network.host',
    ]);
    expect(() => read(['ctx', '--ssh', 'default'], {})).toThrow('SSH_AUTH_SOCK is not set');
  });

  it('takes SOURCE_DATE_EPOCH from the environment, the flag first', () => {
    expect(read(['ctx'], { SOURCE_DATE_EPOCH: '5' }).sourceDateEpoch).toBe(5);
    expect(read(['ctx', '--source-date-epoch', '6'], { SOURCE_DATE_EPOCH: '5' }).sourceDateEpoch).toBe(6);
    expect(read(['ctx'], { SOURCE_DATE_EPOCH: '' })).not.toHaveProperty('sourceDateEpoch');
    expect(() => read(['ctx'], { SOURCE_DATE_EPOCH: 'x' })).toThrow('SOURCE_DATE_EPOCH');
  });

  it('hands SOURCE_DATE_EPOCH to the ARG of that name, and takes it from --build-arg too', () => {
    expect(read(['ctx'], { SOURCE_DATE_EPOCH: '5' }).buildArgs).toEqual({ SOURCE_DATE_EPOCH: '5' });
    const given = read(['ctx', '--build-arg', 'SOURCE_DATE_EPOCH=7'], { SOURCE_DATE_EPOCH: '5' });
    expect(given).toMatchObject({ sourceDateEpoch: 7, buildArgs: { SOURCE_DATE_EPOCH: '7' } });
    const both = read(['ctx', '--build-arg', 'SOURCE_DATE_EPOCH=7', '--source-date-epoch', '6']);
    expect(both).toMatchObject({ sourceDateEpoch: 6, buildArgs: { SOURCE_DATE_EPOCH: '6' } });
  });

  it('never writes an archive to a terminal', () => {
    const { flags, words: rest } = flagsOf(['ctx', '-o', '-']);
    const host = fakeHost({ cwd, isTerminal: () => true });
    expect(() => buildOptions(flags, rest, host)).toThrow('to the terminal');
  });

  it('keeps a build argument named __proto__', () => {
    expect(Object.keys(read(['ctx', '--build-arg', '__proto__=x']).buildArgs)).toEqual(['__proto__']);
  });

  it('takes words after -- as they are', () => {
    expect(refusal(['--', '--tag']).message).toBe(`there is no folder ${cwd}/--tag`);
  });

  it.each([
    ['--rm --force-rm=false --compress', ['--rm', '--force-rm', '--compress']],
    ['--layers --cleanup --use-new-run', ['--layers', '--cleanup', '--use-new-run']],
    ['--single-snapshot --skip-unused-stages=true', ['--single-snapshot', '--skip-unused-stages']],
    ['--disable-content-trust --builder x', ['--disable-content-trust', '--builder']],
    ['--snapshot-mode redo --verbosity=debug', ['--snapshot-mode', '--verbosity']],
    ['', []],
  ])('knows what has no effect: %s', (args, names) => {
    expect(ignoredOf(flagsOf(words(args)).flags).sort()).toEqual([...names].sort());
  });
});

describe('registry flags', () => {
  const of = (args: string) =>
    registryOptions(flagsOf(words(args)).flags, (path) => `/abs/${path}`, ['x/named']);

  it.each<[string, object]>([
    ['', { tlsVerify: true, retries: 3, retryDelayMs: 1000 }],
    ['--tls-verify=false', { tlsVerify: false }],
    ['--tls-verify', { tlsVerify: true }],
    ['--insecure', { tlsVerify: false }],
    ['--skip-tls-verify', { tlsVerify: false }],
    ['--authfile a.json --cert-dir certs', { authFile: '/abs/a.json', certDir: '/abs/certs' }],
    ['--creds me:pass:word', { creds: 'me:pass:word', credsFor: ['x/named'] }],
    ['--registry-mirror m.org/hub/', { mirrors: [{ of: 'docker.io', at: 'm.org/hub' }] }],
    [
      '--registry-mirror https://m.org --registry-mirror http://n.org:5000',
      {
        mirrors: [
          { of: 'docker.io', at: 'https://m.org' },
          { of: 'docker.io', at: 'http://n.org:5000' },
        ],
      },
    ],
    [
      '--registry-map index.docker.io=a.org;quay.io=b.org:5000/q;',
      {
        mirrors: [
          { of: 'docker.io', at: 'a.org' },
          { of: 'quay.io', at: 'b.org:5000/q' },
        ],
      },
    ],
    [
      '--registry-map gcr.io=127.0.0.1 --registry-map q.io=[::1]:5',
      {
        mirrors: [
          { of: 'gcr.io', at: '127.0.0.1' },
          { of: 'q.io', at: '[::1]:5' },
        ],
      },
    ],
    ['--retry 0 --retry-delay 1m30s', { retries: 0, retryDelayMs: 90_000 }],
    ['--retry-delay 500ms', { retryDelayMs: 500 }],
    ['--retry-delay 2', { retryDelayMs: 2000 }],
  ])('%s', (args, expected) => {
    expect(of(args)).toMatchObject(expected);
  });

  it.each([
    ['--tls-verify=perhaps', '--tls-verify takes true or false'],
    ['--creds onlyuser', '--creds has no user and password'],
    ['--registry-mirror ftp://m.org', '--registry-mirror does not name'],
    ['--registry-mirror mirror/path.org', '--registry-mirror does not name'],
    ['--registry-mirror m.org?x', '--registry-mirror does not name'],
    ['--registry-map quay.io', '--registry-map does not name'],
    ['--registry-map =m.org', '--registry-map does not name'],
    ['--retry -1', 'not a whole number'],
    ['--retry-delay soon', 'is not a duration'],
  ])('refuses %s', (args, message) => {
    expect(() => of(args)).toThrow(message);
  });

  it.each<[string, readonly string[]]>([
    ['-t myapp', []],
    ['-t me/app:1.2', []],
    ['-t myapp --push', ['myapp']],
    ['-d me/app', ['me/app']],
    ['-t ghcr.io/me/app -t localhost/app -t h:5000/app', ['ghcr.io/me/app', 'localhost/app', 'h:5000/app']],
    ['-o type=registry,name=q.io/a', ['q.io/a']],
    ['--cache-from q.io/a --cache-to type=registry,ref=r.io/b', ['q.io/a', 'r.io/b']],
  ])('counts as images of registries in %s: %j', (args, expected) => {
    expect(imagesNamed(read(['ctx', ...words(args)]))).toEqual(expected);
  });

  it('refuses --creds where nothing says whom it is for', () => {
    const { flags } = flagsOf(words('--creds me:x'));
    expect(() => registryOptions(flags, String, [])).toThrow(/^--creds is shown to the registries/);
  });

  it('tells no secret', () => {
    expect(() => of('--creds hunter2')).not.toThrow('hunter2');
  });
});
