import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readYaml } from '../support/docs-commands.ts';
import { parsePage } from '../support/docs-page.ts';
import { againstRestricted, type Manifest } from '../support/pod-security.ts';
import { run } from '../support/programs.ts';
import { hasRegistryServer, type RegistryServer, startRegistryServer } from '../support/registry-server.ts';
import { temporaryFolder } from '../support/shared.ts';

interface Step {
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir?: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
}

interface Parameter {
  readonly name: string;
  readonly default?: string | readonly string[];
}

interface Task {
  readonly spec: {
    readonly params: readonly Parameter[];
    readonly workspaces: readonly { readonly name: string }[];
    readonly results: readonly { readonly name: string }[];
    readonly stepTemplate: Manifest;
    readonly steps: readonly Step[];
    readonly volumes: readonly Manifest[];
  };
}

const page = parsePage('docs/tekton.md', readFileSync('docs/tekton.md', 'utf8'));
const [task, taskRun] = ['task.yaml', 'run.yaml'].map(
  (file) => readYaml(page.blocks.find(({ attributes }) => attributes.get('file') === file)!.text)[0],
) as [
  Task,
  { readonly spec: { readonly params: readonly Parameter[]; readonly workspaces: readonly Parameter[] } },
];

describe('the Task of docs/tekton.md', () => {
  it('may run where the standard `restricted` is enforced', () => {
    const { steps, stepTemplate, volumes } = task.spec;
    for (const step of steps) {
      const pod = { containers: [{ ...stepTemplate, ...step }], volumes };
      expect(againstRestricted({ spec: { template: { spec: pod } } })).toEqual([]);
    }
  });

  it('has what its run gives', () => {
    const named = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);
    const { params, workspaces } = taskRun.spec;
    expect(named(task.spec.params)).toEqual(expect.arrayContaining(named(params)));
    expect(named(task.spec.workspaces)).toEqual(expect.arrayContaining(named(workspaces)));
  });
});

describe.skipIf(!hasRegistryServer())('a run of it', () => {
  const folder = temporaryFolder('tekton');
  let registry: RegistryServer;
  beforeAll(async () => {
    registry = await startRegistryServer();
    for (const name of ['source/app', 'results', 'home', 'login'])
      mkdirSync(join(folder.path, name), { recursive: true });
    writeFileSync(
      join(folder.path, 'source/app/Containerfile'),
      'FROM scratch\nARG A\nLABEL a=$A\nCOPY Containerfile /\n',
    );
  });
  afterAll(async () => {
    await registry.stop();
    await folder[Symbol.asyncDispose]();
  });

  it('pushes, and tells digest and name as results', async () => {
    const image = `${registry.host}/team/app:1`;
    const flags = ['--build-arg=A=$(id) "x"', '--label=b=c'];
    for (const step of task.spec.steps) await runStep(step, { IMAGE: image, CONTEXT: 'app', FLAGS: flags });
    const accept = 'application/vnd.oci.image.manifest.v1+json';
    const answer = await fetch(`${registry.origin}/v2/team/app/manifests/1`, { headers: { accept } });
    const result = (name: string) => readFileSync(join(folder.path, 'results', name), 'utf8');
    expect(result('IMAGE_DIGEST').trim()).toBe(answer.headers.get('docker-content-digest'));
    expect(result('IMAGE_URL')).toBe(image);
    const { config } = (await answer.json()) as { readonly config: { readonly digest: string } };
    const stored = await fetch(`${registry.origin}/v2/team/app/blobs/${config.digest}`);
    expect(await stored.json()).toMatchObject({ config: { Labels: { a: '$(id) "x"', b: 'c' } } });
  });

  /** As Tekton does it: words are filled in, an array stands for several. */
  async function runStep(
    step: Step,
    params: Readonly<Record<string, string | readonly string[]>>,
  ): Promise<void> {
    const filled = (text: string): string =>
      text
        .replace(/\$\(params\.(\w+)\)/g, (_, name: string) => String(params[name]))
        .replace(/\$\(results\.(\w+)\.path\)/g, (_, name: string) => join(folder.path, 'results', name))
        .replace(/\$\(workspaces\.(\w+)\.path\)/g, (_, name: string) =>
          join(folder.path, name === 'source' ? 'source' : 'login'),
        );
    const words = [...step.command, ...step.args].flatMap((word) => {
      const [, list] = /^\$\(params\.(\w+)\[\*\]\)$/.exec(word) ?? [];
      return list === undefined ? [filled(word)] : (params[list] as readonly string[]);
    });
    const env = {
      PATH: `${resolve('bin')}:${process.env.PATH}`,
      HOME: join(folder.path, 'home'),
      ...Object.fromEntries(step.env.map(({ name, value }) => [name, filled(value)])),
      TSBUILD_ROOT: join(folder.path, 'store'),
    };
    const outcome = await run(words, { cwd: filled(step.workingDir ?? folder.path), env });
    expect(outcome.code, outcome.stderr).toBe(0);
  }
});
