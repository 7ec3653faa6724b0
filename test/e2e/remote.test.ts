import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { newRepository, type TestRepository } from '../support/git-repository.ts';
import { startGitServer } from '../support/git-server.ts';
import type { HttpServer } from '../support/http-server.ts';
import { must } from '../support/programs.ts';
import { temporaryFolder } from '../support/shared.ts';
import { isRoot, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild, type Who } from '../support/tsbuild.ts';

const people: readonly Who[] = isRoot ? ['root', 'user'] : ['root'];
const needs = { programs: ['skopeo', 'busybox', 'crun', 'git', 'tar'] };

describe.skipIf(skip('what is fetched', needs)).each(people)('what is fetched as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  let root: AsyncDisposable & { readonly path: string };
  let repository: TestRepository;
  let commit: string;
  let tar: Buffer;
  let server: HttpServer;
  let asked: string[];

  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
    root = temporaryFolder('served');
    repository = await newRepository(root.path, 'app');
    symlinkSync('real', join(repository.work, 'Containerfile'));
    symlinkSync('/etc/hostname', join(repository.work, 'escape'));
    commit = await repository.commit({
      real: 'FROM scratch\nCOPY . /\n',
      file: 'from git\n',
      'sub/Dockerfile': 'FROM scratch\nCOPY inner /inner\n',
      'sub/inner': 'inner\n',
      'other.file': 'FROM scratch\nCOPY file /other\n',
      '.dockerignore': 'file\n',
    });
    await repository.publish();
    await must([
      'tar',
      '-C',
      repository.work,
      '--exclude',
      '.git',
      '-czf',
      join(root.path, 'context.tgz'),
      '.',
    ]);
    tar = readFileSync(join(root.path, 'context.tgz'));
    asked = [];
    server = await startGitServer({
      root: root.path,
      first: (request, response) => {
        const path = request.url ?? '';
        asked.push(path);
        if (path === '/context.tgz') response.end(tar);
        else if (path === '/Containerfile')
          response.end('FROM scratch\nADD '.concat(server.origin, '/data /d/\n'));
        else if (path === '/page') response.end('<!doctype html>\n<p>hello');
        else if (path === '/busy' && asked.indexOf(path) === asked.length - 1) response.writeHead(503).end();
        else if (path === '/busy') response.end('FROM scratch\nCOPY <<a /a\na\n');
        else if (path === '/data') response.setHeader('etag', '"1"').end('data\n');
        else return false;
        return true;
      },
    });
  });
  afterAll(async () => {
    await server?.stop();
    await root?.[Symbol.asyncDispose]();
    await tsbuild?.[Symbol.asyncDispose]();
  });

  let count = 0;
  /** Builds, and gives the tree and what was said. */
  const build = async (args: readonly string[], input = ''): Promise<Built> => {
    const out = join(tsbuild.folder, `out-${count++}`);
    const outcome = await tsbuild.run(['build', '--progress', 'plain', '--retry', '0', '-o', out, ...args], {
      input,
    });
    return { ...outcome, out, read: (path) => readFileSync(join(out, path), 'utf8') };
  };
  const folder = async (name: string, files: Readonly<Record<string, string>>): Promise<string> => {
    const path = join(tsbuild.folder, name);
    mkdirSync(path, { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
    await tsbuild.give(path);
    return path;
  };

  it('a git repository as the context: links stay inside, no ignore file counts, and it is cached', async () => {
    const address = `${server.origin}/app.git`;
    const built = await build([address]);
    expect(built.code, built.stderr).toBe(0);
    expect(built.read('file')).toBe('from git\n');
    expect(readdirSync(built.out)).not.toContain('.git');
    const again = await build([`${address}#${commit}`]);
    expect(again.stderr).toMatch(/COPY \. \/\n#\d+ CACHED/);
    const sub = await build([`${address}#main:sub`]);
    expect(readdirSync(sub.out)).toEqual(['inner']);
    expect((await build(['-f', 'other.file', address])).read('other')).toBe('from git\n');
    const kept = await build(['--build-arg', 'BUILDKIT_CONTEXT_KEEP_GIT_DIR=1', address]);
    expect(kept.read('.git/HEAD')).toBe(`${commit}\n`);
    const lost = await build(['-f', 'escape', address]);
    expect([lost.code, lost.stderr]).toEqual([1, expect.stringContaining('the context holds no escape')]);
  });

  it('a tar as the context, or a Containerfile alone', async () => {
    expect((await build([`${server.origin}/context.tgz`])).read('file')).toBe('from git\n');
    const alone = await build([`${server.origin}/Containerfile`]);
    expect(alone.read('d/data')).toBe('data\n');
    const here = await folder('here', {});
    expect((await build(['-f', `${server.origin}/Containerfile`, here])).read('d/data')).toBe('data\n');
    const page = await build([`${server.origin}/page`]);
    expect([page.code, page.stderr]).toEqual([1, expect.stringContaining('gives a web page')]);
    const none = await build([`${server.origin}/nothing.tar`]);
    expect([none.code, none.stderr]).toEqual([1, expect.stringMatching(/^error: the server answers 404/m)]);
  });

  it('tells that a server is asked again: people wait for it', async () => {
    asked.length = 0;
    const built = await build(['--retry', '1', '--retry-delay', '10ms', `${server.origin}/busy`]);
    expect(built.code, built.stderr).toBe(0);
    expect(built.stderr).toMatch(/^the server answers 503 to GET .*\/busy: trying again in 1 s$/m);
    expect(built.stderr).toMatch(/^#1 \S+ \d+B \/ \d+B \S+ done\n#1 DONE /m);
  });

  it('ADD of addresses beside local files, which alone are unpacked unasked', async () => {
    const here = await folder('add', { local: 'local\n' });
    cpSync(join(root.path, 'context.tgz'), join(here, 'own.tgz'));
    await tsbuild.give(here);
    const lines = [
      'FROM scratch',
      `ADD --chmod=755 ${server.origin}/data local /both/`,
      `ADD ${server.origin}/context.tgz own.tgz /archives/`,
      `ADD --unpack=true ${server.origin}/context.tgz /unpacked/`,
      `ADD ${server.origin}/app.git#main:sub /sub/`,
      `ADD --keep-git-dir=true --checksum=${commit} ${server.origin}/app.git /kept`,
    ];
    const args = ['-f', '-', here];
    const built = await build(args, lines.join('\n'));
    expect(built.code, built.stderr).toBe(0);
    expect(readdirSync(join(built.out, 'both')).sort()).toEqual(['data', 'local']);
    expect(readdirSync(join(built.out, 'archives'))).toContain('context.tgz');
    expect(readdirSync(join(built.out, 'archives'))).toContain('file');
    expect(built.read('unpacked/file')).toBe('from git\n');
    expect(built.read('sub/inner')).toBe('inner\n');
    expect(built.read('kept/.git/HEAD')).toBe(`${commit}\n`);
    const again = await build(args, lines.join('\n'));
    expect(again.stderr.match(/CACHED/g)).toHaveLength(5);
    expect(again.stderr).not.toMatch(/cloning/);
  });

  it('a login in an address is shown nowhere, and goes into no image and no store', async () => {
    const login = server.origin.replace('//', '//some-user:hid@den-pw@');
    const lines = [
      'FROM scratch AS private',
      `ARG WHERE=${login}`,
      'ADD $WHERE/data /d/',
      `ADD ["${login}/app.git", "/app/"]`,
    ];
    const archive = join(tsbuild.folder, 'private.tar');
    const flags = ['-o', `type=oci,dest=${archive},compression=uncompressed`, '-t', 'private'];
    for (const progress of ['plain', 'rawjson']) {
      const args = ['--progress', progress, '--debug', ...flags, '-'];
      const good = await build(args, lines.join('\n'));
      expect(good.code, good.stderr).toBe(0);
      expect(good.stderr).toContain('//****@127.0.0.1:');
      for (const line of [`ADD ${login}/absent /`, `ADD ${login}/app.git#no /`]) {
        const failed = await build(args, `FROM scratch\n${line}\n`);
        expect(failed.code).toBe(1);
        if (progress === 'plain') expect(failed.stderr).toMatch(/^ +2 \| >>> ADD http:\/\/\*{4}@127/m);
        expect(good.stderr + failed.stderr).not.toContain('den-pw');
      }
    }
    const history = await tsbuild.run(['history', '--no-trunc', 'private']);
    expect(history.stdout).toContain('ADD http://****@127.0.0.1:');
    expect(readFileSync(archive, 'latin1')).not.toContain('den-pw');
    const kept = await must(['grep', '-rla', 'den-pw', tsbuild.store]).catch(() => '');
    expect(kept).toBe('');
  });

  it('an ADD with a checksum asks no server again; one with the wrong checksum points at it', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const wrong = `FROM scratch\nADD --checksum=${digest} ${server.origin}/data /\n`;
    const failed = await build(['-'], wrong);
    expect(failed.code).toBe(1);
    const right = /has the digest (sha256:[0-9a-f]{64}), not /.exec(failed.stderr)![1]!;
    expect(failed.stderr).toMatch(/^ +2 \| >>> ADD --checksum/m);
    expect((await build(['-'], wrong.replace(digest, right))).code).toBe(0);
    asked.length = 0;
    expect((await build(['-'], wrong.replace(digest, right))).stderr).toContain('CACHED');
    expect(asked).toEqual([]);
  });

  it('an unknown branch and an unknown key are told with what is near', async () => {
    const branch = await build(['-'], `FROM scratch\nADD ${server.origin}/app.git#mian /\n`);
    expect(branch.stderr).toMatch(/no branch, tag or commit "mian"\nhint: Did you mean main\?/);
    const key = await build(['-'], `FROM scratch\nADD ${server.origin}/app.git?subdri=x /\n`);
    expect(key.stderr).toMatch(/does not know the key "subdri"\nhint: Did you mean subdir\?/);
    const both = `FROM scratch\nADD --keep-git-dir=false ${server.origin}/app.git?keep-git-dir=true /\n`;
    expect((await build(['-'], both)).stderr).toContain('--keep-git-dir and the address say opposite things');
    const copy = await build(['-'], `FROM scratch\nCOPY ${server.origin}/app.git /\n`);
    expect(copy.stderr).toContain("source can't be a URL for COPY");
  });

  it('named contexts of every kind take the place of images and stages', async () => {
    const local = await folder('local', {
      shown: 'shown\n',
      hidden: 'hidden\n',
      '.dockerignore': 'hidden\n',
    });
    const layout = join(tsbuild.folder, 'layout');
    if (!existsSync(layout)) cpSync((await busyboxBase()).layout, layout, { recursive: true });
    await tsbuild.give(layout);
    const lines = [
      'FROM example.org/never/pulled AS tools',
      'RUN false',
      'FROM base',
      'COPY --from=tools /shown /from-stage',
      'COPY --from=example.org/x:1 /etc/motd /from-layout',
      'COPY --from=repository /file /from-git',
      'COPY --from=tarball /file /from-tar',
      'COPY --from=single /data /from-http',
      'RUN --mount=from=tools,target=/m cp /m/shown /from-mount; ls /m > /listed',
    ];
    const contexts = {
      tools: local,
      'docker.io/library/base:latest': 'docker-image://localhost/tsbuild-test/busybox:1',
      'example.org/x:1': `oci-layout://${layout}:image`,
      repository: `${server.origin}/app.git`,
      tarball: `${server.origin}/context.tgz`,
      single: `${server.origin}/data`,
      tolos: local,
    };
    const flags = Object.entries(contexts).flatMap(([name, where]) => [
      '--build-context',
      `${name}=${where}`,
    ]);
    const built = await build([...flags, '-'], lines.join('\n'));
    expect(built.code, built.stderr).toBe(0);
    expect(
      ['stage', 'layout', 'git', 'tar', 'http', 'mount'].map((name) => built.read(`from-${name}`)),
    ).toEqual(['shown\n', 'welcome\n', 'from git\n', 'from git\n', 'data\n', 'shown\n']);
    expect(built.read('listed')).toBe('shown\n');
    expect(built.stderr).toMatch(/the context tolos is not used/);
    expect(built.stderr.match(/is not used/g)).toHaveLength(1);
    const again = await build([...flags, '-'], lines.join('\n'));
    expect(again.stderr).not.toMatch(/^#\d+ \[.*\n#\d+ DONE/m);
  });

  it('FROM a folder is an image of its files, for the platform that is asked for', async () => {
    const any = await folder('any', { which: 'any\n', '.dockerignore': '.dockerignore\n' });
    const arm = await folder('arm', { which: 'arm\n' });
    const contexts = ['--build-context', `base=${any}`, '--build-context', `base::linux/arm64=${arm}`];
    const text = 'FROM base\nENV a=b\n';
    const built = await build([...contexts, '-'], text);
    expect(readdirSync(built.out)).toEqual(['which']);
    expect(built.read('which')).toBe('any\n');
    const other = await build([...contexts, '--platform', 'linux/arm64', '-'], text);
    expect(other.read('which')).toBe('arm\n');
    const oci = join(tsbuild.folder, 'from-folder');
    await tsbuild.must(['build', ...contexts, '-o', `type=oci,tar=false,dest=${oci}`, '-'], { input: text });
    const config = JSON.parse(await must(['skopeo', 'inspect', '--config', `oci:${oci}`])) as Config;
    expect(config.config).toEqual({ Env: [expect.stringMatching(/^PATH=/), 'a=b'], WorkingDir: '/' });
    expect(config.history.map((line) => line.empty_layer ?? false)).toEqual([false, true]);
  });

  it('a context that is not there is named with its flag', async () => {
    const gone = await build(['--build-context', 'base=./gone', '-'], 'FROM base\n');
    expect(gone.stderr).toMatch(/^error: the context "base" is not there: .*\/gone is not a folder$/m);
    const odd = await build(['--build-context', 'base=target:x', '-'], 'FROM base\n');
    expect([odd.code, odd.stderr]).toEqual([expect.any(Number), expect.stringMatching(/^error: /m)]);
  });
});

interface Built {
  readonly code: number | null;
  readonly stderr: string;
  readonly out: string;
  read(path: string): string;
}

interface Config {
  readonly config: object;
  readonly history: readonly { readonly empty_layer?: boolean }[];
}
