import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readYaml } from '../support/docs-commands.ts';
import { newRepository } from '../support/git-repository.ts';
import { startGitServer } from '../support/git-server.ts';
import { type Outcome, run } from '../support/programs.ts';
import { hasRegistryServer, type RegistryServer, startRegistryServer } from '../support/registry-server.ts';
import { temporaryFolder } from '../support/shared.ts';
import { startWorkflowCache } from '../support/workflow-cache.ts';

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly runs: { readonly main: string };
}

const action = readYaml(readFileSync('action.yml', 'utf8'))[0] as Action;
const peer = readJson('testdata/ci/build-push-action.json') as {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly absent: Readonly<Record<string, string>>;
};

interface InputCase {
  readonly about: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly context?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly error?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What the action's script says of itself. */
interface BuildCommand {
  readonly inputNames: readonly string[];
  buildCommand(env: Environment): Readonly<Record<string, unknown>>;
}
interface Namespaces {
  allowNamespaces(env: Environment, file: string): void;
}

const load = async (name: string) => (await import(resolve('ci/github', name))) as unknown;
const job = {
  GITHUB_SERVER_URL: 'https://git.example',
  GITHUB_REPOSITORY: 'me/app',
  GITHUB_REF: 'refs/heads/main',
  GITHUB_SHA: '0123abc',
};

describe("the action's inputs", () => {
  it('are those of docker/build-push-action, and outputs too', async () => {
    const { inputNames } = (await load('build-command.mjs')) as BuildCommand;
    expect(Object.keys(action.inputs).sort()).toEqual([...inputNames].sort());
    const own = Object.keys(action.inputs);
    expect(peer.inputs.filter((name) => !own.includes(name))).toEqual(Object.keys(peer.absent));
    expect(Object.keys(action.outputs).sort()).toEqual(peer.outputs);
    expect(existsSync(action.runs.main)).toBe(true);
  });

  it.each(readJson('testdata/ci/inputs.json') as InputCase[])('$about', async (one) => {
    const { buildCommand } = (await load('build-command.mjs')) as BuildCommand;
    const env = { ...job, ...one.env, ...inputsOf(one.inputs) };
    if (one.error !== undefined) return expect(() => buildCommand(env)).toThrow(new RegExp(one.error));
    const { args, context, variables, summary } = buildCommand(env);
    expect({ args, context, variables, summary }).toEqual({
      args: one.args,
      context: one.context,
      variables: one.variables ?? {},
      summary: true,
    });
  });
});

describe.skipIf(!hasRegistryServer())('the action', () => {
  const folder = temporaryFolder('action');
  let registry: RegistryServer;
  beforeAll(async () => {
    registry = await startRegistryServer();
    for (const name of ['work', 'home', 'temp', 'bin']) mkdirSync(join(folder.path, name));
    writeFileSync(
      join(folder.path, 'work/Containerfile'),
      'FROM scratch\nARG WHO\nLABEL who=$WHO\nCOPY Containerfile /\nCOPY Containerfile /again\n',
    );
    writeFileSync(join(folder.path, 'work/Broken'), 'FROM scratch\nCOPY <img>|`x` /\n');
  });
  afterAll(async () => {
    await registry.stop();
    await folder[Symbol.asyncDispose]();
  });

  /** One step of a job. */
  async function step(name: string, inputs: Readonly<Record<string, string>>, more: Environment = {}) {
    const files = { output: join(folder.path, `${name}.output`), summary: join(folder.path, `${name}.md`) };
    for (const file of Object.values(files)) writeFileSync(file, '');
    const env = {
      PATH: `${resolve('bin')}:${process.env.PATH}`,
      HOME: join(folder.path, 'home'),
      RUNNER_TEMP: join(folder.path, 'temp'),
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
      ...job,
      ...inputsOf(inputs),
      ...more,
    };
    const outcome = await run([process.execPath, resolve('ci/action.mjs')], {
      cwd: join(folder.path, 'work'),
      env,
    });
    return {
      ...outcome,
      outputs: outputsOf(readFileSync(files.output, 'utf8')),
      summary: readFileSync(files.summary, 'utf8'),
    };
  }

  it('builds, pushes, and tells outputs and a summary', async () => {
    const name = `${registry.host}/team/app`;
    const hostile = 'x\nEOF\n::error::no\n$(touch pwned)\n`id`';
    const inputs = {
      context: '.',
      push: 'true',
      tags: `${name}:1,${name}:latest`,
      'build-args': `"WHO=${hostile}"`,
    };
    const first = await step('first', inputs);
    expect(first.code, said(first)).toBe(0);
    const { digest, imageid, metadata } = first.outputs;
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(JSON.parse(metadata!)).toMatchObject({
      'containerimage.digest': digest,
      'containerimage.config.digest': imageid,
      'image.name': `${name}:1,${name}:latest`,
    });
    expect(first.summary).toContain('### Image built');
    for (const text of [digest!, imageid!, `${name}:latest`]) expect(first.summary).toContain(text);
    expect(first.summary).toMatch(/0 of 2 steps \(0 %\)/);
    const config = await fetch(`${registry.origin}/v2/team/app/blobs/${imageid}`);
    expect(await config.json()).toMatchObject({ config: { Labels: { who: hostile } } });
    expect(existsSync(join(folder.path, 'work/pwned'))).toBe(false);
    const second = await step('second', inputs);
    expect(second.outputs.digest).toBe(digest);
    expect(second.summary).toMatch(/2 of 2 steps \(100 %\)/);
  });

  it("has the workflow's cache, whose token GitHub gives to actions", async () => {
    const cache = await startWorkflowCache();
    const given = { ACTIONS_RESULTS_URL: `${cache.origin}/`, ACTIONS_RUNTIME_TOKEN: cache.token };
    const inputs = { context: '.', 'cache-from': 'type=gha', 'cache-to': 'type=gha,mode=max' };
    const elsewhere = (name: string) => ({ ...given, TSBUILD_ROOT: join(folder.path, name) });
    const first = await step('share', inputs, elsewhere('one'));
    const second = await step('reuse', inputs, elsewhere('two'));
    await cache.stop();
    expect(first.code, said(first)).toBe(0);
    expect(first.summary).toContain('0 of 2 steps');
    expect(second.summary).toContain('2 of 2 steps (100 %)');
  });

  it('fails as the build does; what the file wrote into its error is text in the summary', async () => {
    const broken = await step('broken', { context: '.', file: 'Broken' });
    expect(broken.code, said(broken)).toBe(1);
    expect(broken.summary).toContain('### The build failed');
    expect(broken.summary).toContain('&#60;img&#62;&#124;&#96;x&#96;');
    expect(broken.summary).not.toContain('<img>');
    expect(broken.outputs).toMatchObject({ imageid: '', digest: '' });
    // Nothing that a build writes is a command to the runner.
    const [first, ...others] = broken.stdout.trimEnd().split('\n');
    const [, word] = /^::stop-commands::(\S{20,})$/.exec(first!) ?? [];
    expect(others.at(-1)).toBe(`::${word}::`);
  });

  it('says what is wrong with an input, without a build', async () => {
    const wrong = await step('wrong', { context: '.', push: 'yes' });
    expect(wrong).toMatchObject({
      code: 1,
      stdout: "::error::the input push is neither true nor false: 'yes'\n",
    });
    expect(wrong.summary).toBe('');
  });

  it('fetches this repository at the commit of the event with the token of the job', async () => {
    const repository = await newRepository(join(folder.path), 'app');
    const commit = await repository.commit({
      'sub/Containerfile': 'FROM scratch\nCOPY file /\n',
      'sub/file': '1',
    });
    await repository.publish();
    const token = `Basic ${Buffer.from('x-access-token:ghs_1').toString('base64')}`;
    const server = await startGitServer({ root: folder.path, authorization: token });
    const event = { GITHUB_SERVER_URL: server.origin, GITHUB_REPOSITORY: 'app', GITHUB_SHA: commit };
    const inputs = { context: '{{defaultContext}}:sub', 'github-token': 'ghs_1' };
    const built = await step('git', inputs, event);
    await server.stop();
    expect(built.code, said(built)).toBe(0);
    expect(said(built)).not.toContain('ghs_1');
    expect(built.outputs.imageid).toMatch(/^sha256:/);
  });

  it('installs the version that is asked for, for later steps too', async () => {
    const env = { PATH: `${join(folder.path, 'bin')}:/usr/bin:/bin`, GITHUB_PATH: join(folder.path, 'path') };
    const npm = join(folder.path, 'bin/npm');
    writeFileSync(
      npm,
      `#!/bin/sh\nprefix=$4\nmkdir -p "$prefix/bin"\nln -s '${resolve('bin/tsbuild')}' "$prefix/bin/tsbuild"\necho "$@"\n`,
    );
    chmodSync(npm, 0o755);
    const built = await step('version', { context: '.', version: '9.9.9' }, env);
    expect(built.code, said(built)).toBe(0);
    expect(built.stdout).toMatch(/^install --global --prefix \S+ .* -- tsbuild@9\.9\.9$/m);
    const prefix = join(folder.path, 'temp/tsbuild/9.9.9');
    expect(readFileSync(env.GITHUB_PATH, 'utf8')).toBe(`${prefix}/bin\n`);
    const again = await step('again', { context: '.', version: '9.9.9' }, env);
    expect(again.stdout).not.toContain('install');
  });

  it("lifts Ubuntu's restriction on a machine of GitHub's, and on no other", async () => {
    const { allowNamespaces } = (await load('namespaces.mjs')) as Namespaces;
    const setting = join(folder.path, 'setting');
    const sudo = join(folder.path, 'bin/sudo');
    writeFileSync(sudo, `#!/bin/sh\nprintf "%s\\n" "$*" >>'${folder.path}/asked'\n`);
    chmodSync(sudo, 0o755);
    const PATH = `${join(folder.path, 'bin')}:/usr/bin:/bin`;
    for (const [text, RUNNER_ENVIRONMENT] of [
      ['0', 'github-hosted'],
      ['1', 'self-hosted'],
      ['1', 'github-hosted'],
    ]) {
      writeFileSync(setting, `${text}\n`);
      allowNamespaces({ PATH, RUNNER_ENVIRONMENT }, setting);
    }
    const asked = readFileSync(join(folder.path, 'asked'), 'utf8');
    expect(asked).toBe('-n sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=0\n');
  });
});

/** As GitHub hands them over: those that are not given have their defaults. */
function inputsOf(given: Readonly<Record<string, string>>): Record<string, string> {
  const all = Object.entries(action.inputs).map(([name, { default: text = '' }]) => {
    const value = given[name] ?? (text.startsWith('${{') ? '' : text);
    return [`INPUT_${name.toUpperCase()}`, value] as const;
  });
  return Object.fromEntries(all);
}

/** As GitHub reads them. */
function outputsOf(text: string): Readonly<Record<string, string>> {
  const found = text.matchAll(/^(\w+)<<(\S+)\n([\s\S]*?)\n\2$/gm);
  return Object.fromEntries([...found].map(([, name, , value]) => [name, value]));
}

function said({ stdout, stderr }: Outcome): string {
  return `${stdout}${stderr}`.slice(-4000);
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
