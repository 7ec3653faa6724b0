import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readYaml } from '../support/docs-commands.ts';
import { run } from '../support/programs.ts';
import { hasRegistryServer, type RegistryServer, startRegistryServer } from '../support/registry-server.ts';
import { temporaryFolder } from '../support/shared.ts';

type Inputs = Readonly<Record<string, string>>;

interface Job {
  readonly image: string;
  readonly stage: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly script: readonly string[];
  readonly artifacts: { readonly reports: { readonly dotenv: string } };
}

const login = { user: 'gitlab-ci-token', password: 'job-token' };

describe.skipIf(!hasRegistryServer())('the component of GitLab CI', () => {
  const folder = temporaryFolder('gitlab');
  let registry: RegistryServer;
  beforeAll(async () => {
    registry = await startRegistryServer({ htpasswd: login });
    for (const name of ['project', 'home']) mkdirSync(join(folder.path, name));
    const labelled = 'FROM scratch AS labelled\nARG A\nARG B\nLABEL a=$A b=$B\nCOPY Containerfile /\n';
    const file = `${labelled}FROM scratch AS other\nCOPY Containerfile /other\n`;
    writeFileSync(join(folder.path, 'project/Containerfile'), file);
  });
  afterAll(async () => {
    await registry.stop();
    await folder[Symbol.asyncDispose]();
  });

  /** The job's script in a shell, as GitLab's runner does it, with the variables of a job. */
  async function runJob(inputs: Inputs, slug = 'topic-1') {
    const [, job] = Object.entries(componentWith(inputs))[0]!;
    const own = {
      PATH: `${resolve('bin')}:${process.env.PATH}`,
      HOME: join(folder.path, 'home'),
      CI_REGISTRY: registry.host,
      CI_REGISTRY_IMAGE: `${registry.host}/group/project`,
      CI_REGISTRY_USER: login.user,
      CI_REGISTRY_PASSWORD: login.password,
      CI_COMMIT_SHORT_SHA: '0123abcd',
      CI_COMMIT_REF_SLUG: slug,
      CI_DEFAULT_BRANCH: 'Release/Next',
    };
    const variables = Object.entries(job.variables).map(
      ([name, text]) => [name, expanded(text, own)] as const,
    );
    const env = { ...own, ...Object.fromEntries(variables) };
    const script = ['set -eo pipefail', ...job.script].join('\n');
    const cwd = join(folder.path, 'project');
    const outcome = await run(['bash', '-c', script], { cwd, env });
    expect(outcome.code, outcome.stderr.slice(-4000)).toBe(0);
    return { ...outcome, dotenv: readFileSync(join(cwd, job.artifacts.reports.dotenv), 'utf8') };
  }

  const inRegistry = async (path: string): Promise<unknown> => {
    const authorization = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
    const accept = 'application/vnd.oci.image.manifest.v1+json';
    const answer = await fetch(`${registry.origin}/v2/group/project/${path}`, {
      headers: { authorization, accept },
    });
    return { digest: answer.headers.get('docker-content-digest'), ...((await answer.json()) as object) };
  };

  it('pushes to the registry of the project, and a new branch has what the default one made', async () => {
    const { dotenv } = await runJob({}, 'release-next');
    const pushed = (await inRegistry('manifests/0123abcd')) as { readonly digest: string };
    expect(dotenv).toBe(`TSBUILD_DIGEST=${pushed.digest}\nTSBUILD_IMAGE=${registry.host}/group/project\n`);
    const again = await runJob({ flags: `--root=${join(folder.path, 'empty')}` });
    expect(again.stderr).toContain('CACHED');
    expect(again.dotenv).toBe(dotenv);
  });

  it('takes its inputs as they are, whatever is in them', async () => {
    const args = 'A=$(touch pwned) "quoted"\n\nB=`id`; exit 3\n';
    const inputs = { file: 'Containerfile', target: 'labelled', platforms: 'linux/amd64', cache: 'false' };
    await runJob({ ...inputs, tags: 'one\ntwo\n', build_args: args });
    const { config } = (await inRegistry('manifests/two')) as {
      readonly config: { readonly digest: string };
    };
    expect(await inRegistry(`blobs/${config.digest}`)).toMatchObject({
      config: { Labels: { a: '$(touch pwned) "quoted"', b: '`id`; exit 3' } },
    });
    expect(existsSync(join(folder.path, 'project/pwned'))).toBe(false);
  });

  it('describes each input that it uses, and uses each', () => {
    const text = readFileSync('templates/build.yml', 'utf8');
    const used = new Set([...text.matchAll(/\$\[\[ inputs\.(\w+) \]\]/g)].map(([, name]) => name));
    expect([...used].sort()).toEqual(Object.keys(defaultsOf(text)).sort());
  });
});

/** The component with its inputs put in, as GitLab does: text for text, within the values of the parsed YAML. */
function componentWith(inputs: Inputs): Readonly<Record<string, Job>> {
  const text = readFileSync('templates/build.yml', 'utf8');
  const all: Inputs = { ...defaultsOf(text), ...inputs };
  const filled = (value: unknown): unknown => {
    if (typeof value === 'string')
      return value.replace(/\$\[\[ inputs\.(\w+) \]\]/g, (_, name: string) => all[name]!);
    if (Array.isArray(value)) return value.map(filled);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [String(filled(key)), filled(inner)]),
    );
  };
  return filled(readYaml(text)[1]) as Readonly<Record<string, Job>>;
}

function defaultsOf(text: string): Inputs {
  const [head] = readYaml(text) as [
    { readonly spec: { readonly inputs: Readonly<Record<string, { readonly default: unknown }>> } },
  ];
  return Object.fromEntries(
    Object.entries(head.spec.inputs).map(([name, input]) => [name, String(input.default)]),
  );
}

/** Variables may name others. */
function expanded(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(CI_\w+)/g, (whole, name: string) => env[name] ?? whole);
}
