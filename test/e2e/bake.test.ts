import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { newRepository } from '../support/git-repository.ts';
import { startGitServer } from '../support/git-server.ts';
import { processesGone } from '../support/processes.ts';
import type { Outcome } from '../support/programs.ts';
import { skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

const base = 'localhost/tsbuild-test/busybox:1';

describe.skipIf(skip('groups of builds', { programs: ['busybox', 'git'] }))('several builds', () => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild('root');
    await loadBases(tsbuild, [await busyboxBase()]);
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  const folderWith = (name: string, files: Readonly<Record<string, string>>): string => {
    const folder = join(tsbuild.folder, name);
    mkdirSync(folder);
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
    return folder;
  };
  const bake = (cwd: string, ...words: readonly string[]): Promise<Outcome> =>
    tsbuild.run(['bake', '--progress=plain', ...words], { cwd });
  const layersOf = async (name: string): Promise<readonly string[]> => {
    const [image] = JSON.parse(await tsbuild.must(['inspect', name])) as Inspected;
    return image.RootFS.Layers;
  };
  const read = (name: string, path: string) => tsbuild.must(['run', name, 'cat', path]);

  it('make what is equal in two of them once, and start from each other without a registry', async () => {
    const random = 'RUN cat /proc/sys/kernel/random/uuid >/once';
    const folder = folderWith('group', {
      file: 'hello\n',
      'docker-bake.hcl': `
group "default" { targets = ["one", "two", "top"] }
target "base" {
  dockerfile-inline = "FROM ${base}\\n${random}\\nCOPY file /file\\n"
}
target "one" {
  inherits = ["base"]
  tags     = ["test/one"]
}
target "two" {
  inherits = ["base"]
  tags     = ["test/two"]
  labels   = { two = "2" }
}
target "top" {
  contexts          = { below = "target:base" }
  dockerfile-inline = "FROM below\\nCOPY --from=below /once /twice\\nRUN cmp /once /twice\\n"
  tags              = ["test/top"]
  output            = ["type=local,dest=out"]
}
`,
    });
    const { code, stdout, stderr } = await bake(folder, '--no-cache', '--metadata-file=made.json');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const [one, two, top] = [
      await layersOf('test/one'),
      await layersOf('test/two'),
      await layersOf('test/top'),
    ];
    expect(two).toEqual(one);
    expect(top.slice(0, one.length)).toEqual(one);
    expect(readFileSync(join(folder, 'out/twice'), 'utf8')).toBe(await read('test/one', '/once'));
    expect(stderr).toMatch(/^#\d+ \[top 2\/3\] COPY --from=below/m);
    expect(stderr.match(/^FINISHED /gm)).toHaveLength(1);
    const metadata = JSON.parse(readFileSync(join(folder, 'made.json'), 'utf8')) as Record<string, object>;
    expect(Object.keys(metadata).sort()).toEqual(['base', 'one', 'top', 'two']);
    expect(metadata.one).toMatchObject({ 'image.name': 'docker.io/test/one:latest' });
    expect(stdout.split('\n').filter((line) => /^(one|two|top|base) sha256:/.test(line))).toHaveLength(4);
    const builds = JSON.parse(await tsbuild.must(['builds', '--format=json'])) as { names: string[] }[];
    expect(builds.flatMap(({ names }) => names)).toContain('docker.io/test/two:latest');
  });

  it('stop when one of them fails, and say which', async () => {
    const folder = folderWith('failing', {
      'docker-bake.hcl': `
group "default" { targets = ["slow", "bad"] }
target "slow" { dockerfile-inline = "FROM ${base}\\nRUN echo up; sleep 1000" }
target "bad" { dockerfile-inline = "FROM ${base}\\nRUN echo no; exit 3" }
`,
    });
    const { code, stderr } = await bake(folder, '--metadata-file=made.json');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ > \[bad 2\/2\] RUN echo no; exit 3:\nno$/m);
    expect(stderr).toContain('bad (dockerfile-inline):2:1');
    expect(JSON.parse(readFileSync(join(folder, 'made.json'), 'utf8'))).toMatchObject({
      error: { exitCode: 3 },
    });
    expect(await processesGone(tsbuild.folder)).toEqual([]);
  });

  it('build nothing where one of the files is wrong', async () => {
    const folder = folderWith('wrong', {
      'docker-bake.hcl': `
group "default" { targets = ["good", "bad"] }
target "good" {
  dockerfile-inline = "FROM ${base}\\nRUN echo never"
  tags              = ["test/never"]
}
target "bad" { dockerfile-inline = "FROM ${base}\\nRNU x" }
`,
    });
    const { code, stderr } = await bake(folder);
    expect(code).toBe(1);
    expect(stderr).toContain('bad (dockerfile-inline):2:1');
    expect(stderr).not.toContain('echo never');
    expect(await tsbuild.must(['builds'])).not.toContain('test/never');
  });

  it('read and write nothing outside of their folder that the command line does not allow', async () => {
    const folder = folderWith('outside', {
      'docker-bake.hcl': `
target "default" {
  dockerfile-inline = "FROM scratch\\nCOPY file /file"
  context           = "../group"
  output            = ["../written"]
}
target "trusting" {
  dockerfile-inline = "FROM ${base}\\nRUN --security=insecure true"
  entitlements      = ["security.insecure"]
}
`,
    });
    const denied = await bake(folder);
    expect(denied.code).toBe(1);
    expect(denied.stderr).toContain('target default: it would read ../group, outside of the current folder');
    const half = await bake(folder, '--allow=fs.read=../group');
    expect(half.stderr).toContain('hint: Add --allow fs.write=../written');
    expect((await bake(folder, '--allow=fs=..')).code).toBe(0);
    expect((await bake(folder, 'trusting')).stderr).toContain(
      'target trusting: it asks for security.insecure',
    );
  });

  it('come from a git repository, and their contexts with them', async () => {
    const root = join(tsbuild.folder, 'repositories');
    mkdirSync(root);
    const repository = await newRepository(root, 'shop');
    await repository.commit({
      'deploy/docker-bake.hcl': `
target "default" {
  context           = "app"
  contexts          = { mine = "cwd://here" }
  dockerfile-inline = "FROM scratch\\nCOPY file /file\\nCOPY --from=mine own /own\\n"
  output            = ["out"]
}
`,
      'deploy/app/file': 'theirs\n',
      'curious/compose.yaml':
        'services: { a: { build: { dockerfile_inline: FROM scratch, args: [TOKEN] }, env_file: "cwd://env" } }\n',
    });
    await repository.publish();
    const folder = folderWith('elsewhere', {});
    mkdirSync(join(folder, 'here'));
    writeFileSync(join(folder, 'here/own'), 'mine\n');
    writeFileSync(join(folder, 'env'), 'TOKEN=mine\n');
    const server = await startGitServer({ root });
    const url = `http://${server.host}/shop.git#main:deploy`;
    const denied = await bake(folder, url);
    const { code, stderr } = await bake(folder, url, '--allow=fs=.');
    const printed = await bake(folder, url, '--print', '--set=default.target=x');
    const curious = await bake(folder, `http://${server.host}/shop.git#main:curious`, '--print');
    await server.stop();
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(curious.stderr).toContain('the repository holds no file cwd://env');
    expect(denied.stderr).toContain('target default: it would read here on this machine');
    expect(readFileSync(join(folder, 'out/file'), 'utf8')).toBe('theirs\n');
    expect(readFileSync(join(folder, 'out/own'), 'utf8')).toBe('mine\n');
    expect(JSON.parse(printed.stdout)).toMatchObject({
      target: { default: { context: 'app', target: 'x' } },
    });
  });

  it('answer questions about their files', async () => {
    const folder = join(tsbuild.folder, 'group');
    expect((await bake(folder, '--list=targets')).stdout).toMatch(
      /^TARGET +DESCRIPTION\nbase\ndefault +one, two, top\n/,
    );
    const variables = await bake(folder, '--list=variables,format=json');
    expect(JSON.parse(variables.stdout)).toEqual([]);
    const check = await bake(folder, '--check', 'one', 'two');
    expect(check).toMatchObject({ code: 0, stdout: expect.stringContaining('# two\n') });
    expect((await bake(folder, '--set=one.tag=x')).code).toBe(2);
  });
});

type Inspected = readonly [
  {
    readonly RootFS: { readonly Layers: readonly string[] };
  },
];
