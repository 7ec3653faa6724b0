import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContextFile } from '../../builder/context/context.ts';
import { checkOut } from '../../builder/context/git.ts';
import { parseGitAddress } from '../../builder/context/git-address.ts';
import type { GitTools } from '../../builder/context/git-auth.ts';
import { resolveCommit } from '../../builder/context/git-refs.ts';
import type { EventBody } from '../../src/core/events.ts';
import { commitSeconds, newRepository, type TestRepository } from '../support/git-repository.ts';
import { type GitServerOptions, startGitServer } from '../support/git-server.ts';
import { type HttpServer, startHttpServer } from '../support/http-server.ts';
import { must } from '../support/programs.ts';
import { skip } from '../support/skips.ts';

const needs = { programs: ['git'] };

describe.skipIf(skip('git repositories', needs))('git repositories', () => {
  let root: string;
  let server: HttpServer;
  let main: TestRepository;
  let first: string;
  let second: string;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'git-'));
    server = await startGitServer({ root });
    const [inner, module] = [await newRepository(root, 'inner'), await newRepository(root, 'module')];
    const innermost = await inner.commit({ deep: 'innermost\n' });
    await inner.publish();
    await linkSubmodule(module, { path: 'nested', url: '../inner.git', commit: innermost });
    const inside = await module.commit({ own: 'module\n' });
    await module.publish();
    main = await newRepository(root, 'main');
    first = await main.commit({ file: 'first\n', 'sub/a': 'a\n', 'sub/deep/b': 'b\n' });
    await main.git('tag', 'v1');
    await main.git('tag', '-a', '-m', 'annotated', 'v2');
    mkdirSync(join(main.work, 'bin'));
    writeFileSync(join(main.work, 'bin/run'), '#!/bin/sh\n');
    chmodSync(join(main.work, 'bin/run'), 0o775);
    symlinkSync('/etc', join(main.work, 'out'));
    await linkSubmodule(main, { path: 'lib/module', url: `${server.origin}/module.git`, commit: inside });
    second = await main.commit({ file: 'second\n' });
    await main.git('branch', 'feature', first);
    await main.git('branch', 'v1', second);
    await main.publish();
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  const fetch = async (rest: string, given: Partial<Asked> = {}): Promise<Fetched> => {
    const { keep = false, secrets = {}, url = `${server.origin}/main.git` } = given;
    const events: EventBody[] = [];
    const tools: GitTools = {
      place: { outside: undefined },
      signal: new AbortController().signal,
      secret: async (id) => (secrets[id] === undefined ? undefined : Buffer.from(secrets[id])),
      emit: (event) => void events.push(event),
      retry: { retries: 1, delayMs: 1 },
    };
    const resolved = await resolveCommit(parseGitAddress(`${url}${rest}`)!, tools);
    const folder = join(mkdtempSync(join(root, 'out-')), 'x');
    const files = await checkOut(resolved, { folder, keepGitDir: keep }, tools);
    return {
      commit: resolved.commit,
      files,
      events,
      get: (path) => files.find(({ entry }) => entry.path === path),
    };
  };
  const text = (found: Fetched, path: string) => readFileSync(found.get(path)!.absolute, 'utf8');

  it('gives the files of the default branch with the modes, owners and times that git keeps', async () => {
    const found = await fetch('');
    expect(found.commit).toBe(second);
    expect(text(found, 'file')).toBe('second\n');
    const common = { uid: 0, gid: 0, mtime: commitSeconds };
    expect(found.get('')!.entry).toMatchObject({ type: 'dir', mode: 0o755, ...common });
    expect(found.get('file')!.entry).toMatchObject({ type: 'file', mode: 0o644, ...common });
    expect(found.get('bin/run')!.entry).toMatchObject({ type: 'file', mode: 0o755, ...common });
    expect(found.get('out')!.entry).toMatchObject({ type: 'symlink', link: '/etc' });
    expect(found.files.some(({ entry }) => /^\.git(\/|$)|^out\//.test(entry.path))).toBe(false);
    expect(found.events.flatMap((event) => (event.type === 'transfer' ? [event.state] : []))).toEqual([
      'running',
      'done',
    ]);
  });

  it('brings submodules along, and theirs, at the commits that are named', async () => {
    const found = await fetch('');
    expect(text(found, 'lib/module/own')).toBe('module\n');
    expect(text(found, 'lib/module/nested/deep')).toBe('innermost\n');
    expect(found.files.some(({ entry }) => entry.path.endsWith('/.git'))).toBe(false);
    const without = await fetch('?submodules=false');
    expect(without.get('lib/module')!.entry.type).toBe('dir');
    expect(without.get('lib/module/own')).toBeUndefined();
  });

  it.each([
    ['a branch', '#feature', 'first'],
    ['an annotated tag', '#v2', 'first'],
    ['a branch before a tag of the same name', '#v1', 'second'],
    ['a tag that is asked for as one', '?tag=v1', 'first'],
    ['a full ref', '#refs/tags/v1', 'first'],
  ])('takes %s', async (_, rest, content) => {
    const found = await fetch(rest);
    expect(text(found, 'file')).toBe(`${content}\n`);
    expect(found.commit).toBe(content === 'first' ? first : second);
  });

  it('takes a commit without asking what it is called', async () => {
    server.seen.length = 0;
    const found = await fetch(`#${first}`);
    expect(text(found, 'file')).toBe('first\n');
    const byCommit = await fetch(`?ref=feature&checksum=${second}&fetch-by-commit=true`);
    expect(text(byCommit, 'file')).toBe('second\n');
    await expect(fetch(`#${'0'.repeat(40)}`)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('no commit 0000'),
    });
  });

  it('gives the commit that the branch was, where it is moved meanwhile', async () => {
    const moving = await newRepository(root, 'moving');
    const before = await moving.commit({ file: 'before\n' });
    const after = await moving.commit({ file: 'after\n' });
    await moving.git('reset', '-q', '--hard', before);
    await moving.git('branch', 'later', after);
    await moving.publish();
    let asked = 0;
    const own = await startGitServer({
      root,
      first: ({ url }) => {
        if (url?.includes('/info/refs') && ++asked === 2)
          execFileSync('git', ['-C', join(root, 'moving.git'), 'update-ref', 'refs/heads/main', after]);
        return false;
      },
    });
    try {
      const found = await fetch('#main', { url: `${own.origin}/moving.git` });
      expect([found.commit, text(found, 'file')]).toEqual([before, 'before\n']);
      expect(asked).toBeGreaterThan(2);
    } finally {
      await own.stop();
    }
  });

  it('takes a repository from a server of plain files, which gives no single commits', async () => {
    await must(['git', '-C', join(root, 'main.git'), 'update-server-info']);
    const plain = await startHttpServer(({ url }, response) => {
      const path = join(root, new URL(url ?? '/', 'http://localhost').pathname);
      if (existsSync(path) && lstatSync(path).isFile()) response.end(readFileSync(path));
      else response.writeHead(404).end();
    });
    try {
      for (const rest of ['?ref=feature&submodules=0', `?ref=${first}&submodules=0`])
        expect(text(await fetch(rest, { url: `${plain.origin}/main.git` }), 'file')).toBe('first\n');
      const kept = await fetch('?ref=v2&submodules=0', { url: `${plain.origin}/main.git`, keep: true });
      const git = ['git', '-c', 'safe.directory=*', '-C', join(kept.get('.git')!.absolute, '..')];
      expect((await must([...git, 'describe', '--tags', '--exact-match'])).trim()).toBe('v2');
      await expect(must([...git, 'cat-file', '-e', second])).rejects.toThrow();
    } finally {
      await plain.stop();
    }
  });

  it('takes one folder, which no link may be', async () => {
    const found = await fetch('#main:sub');
    expect(found.files.map(({ entry }) => entry.path)).toEqual(['', 'a', 'deep', 'deep/b']);
    await expect(fetch('#main:out')).rejects.toThrow('"out" of');
    await expect(fetch('#main:out/ssl')).rejects.toThrow('has no folder "out/ssl"');
    await expect(fetch('#main:file')).rejects.toThrow('is not a folder');
    await expect(fetch('#main:nowhere')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('says which branches and tags are near one that is not there', async () => {
    await expect(fetch('#featuer')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('no branch, tag or commit "featuer"'),
      hint: 'Did you mean feature?',
    });
    await expect(fetch('#entirely-different')).rejects.toMatchObject({
      hint: 'There are: feature, main, v1, v2.',
    });
    await expect(fetch(`#${first.slice(0, 9)}`)).rejects.toMatchObject({
      hint: expect.stringContaining('all its 40'),
    });
  });

  it('holds a ref to its checksum', async () => {
    expect((await fetch(`?ref=feature&checksum=${first.slice(0, 7)}`)).commit).toBe(first);
    await expect(fetch(`?ref=feature&checksum=${second}`)).rejects.toMatchObject({
      code: 'digest-mismatch',
      message: expect.stringContaining(`is the commit ${first}, not ${second}`),
    });
  });

  it('keeps a repository that is the same each time and works', async () => {
    const [one, two] = [await fetch('#v2', { keep: true }), await fetch('#v2', { keep: true })];
    const digest = (found: Fetched) =>
      found.files.map(({ entry, absolute }) => [
        entry.path,
        entry.type === 'file' && readFileSync(absolute, 'latin1'),
      ]);
    expect(digest(one)).toEqual(digest(two));
    expect(text(one, '.git/config')).toContain(`${server.origin}/main.git`);
    expect(text(one, '.git/HEAD')).toBe(`${first}\n`);
    const folder = join(one.get('.git')!.absolute, '..');
    const git = ['git', '-c', 'safe.directory=*', '-C', folder];
    expect(await must([...git, 'status', '--porcelain'])).toBe('');
    expect((await must([...git, 'describe', '--tags', '--exact-match'])).trim()).toBe('v2');
  });

  it('runs nothing that a repository or its template brings', async () => {
    const evil = await newRepository(root, 'evil');
    const mark = join(root, 'mark');
    await evil.commit({ '.gitattributes': '* filter=evil\n', file: 'x\n' });
    await evil.publish();
    const home = mkdtempSync(join(root, 'home-'));
    mkdirSync(join(home, 'template/hooks'), { recursive: true });
    for (const hook of ['post-checkout', 'reference-transaction']) {
      writeFileSync(join(home, 'template/hooks', hook), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
    }
    const filter = `[filter "evil"]\n\tsmudge = touch ${mark}\n\trequired = true\n`;
    writeFileSync(join(home, '.gitconfig'), `[init]\n\ttemplateDir = ${home}/template\n${filter}`);
    const former = process.env.HOME;
    process.env.HOME = home;
    try {
      expect(text(await fetch('', { url: `${server.origin}/evil.git` }), 'file')).toBe('x\n');
    } finally {
      process.env.HOME = former;
    }
    expect(existsSync(mark)).toBe(false);
  });

  it.each(['file:///etc', '/etc', 'ext::sh -c "touch x"', '--upload-pack=touch', 'ssh://-oProxyCommand=x/y'])(
    'follows no submodule to %s',
    async (url) => {
      const name = `odd-${Buffer.from(url).toString('hex').slice(0, 20)}`;
      const odd = await newRepository(root, name);
      await linkSubmodule(odd, { path: 'm', url, commit: first });
      await odd.commit({ file: 'x\n' });
      await odd.publish();
      await expect(fetch('', { url: `${server.origin}/${name}.git` })).rejects.toThrow(
        'is not an address that git is given',
      );
    },
  );

  it.each([
    ['through a link beside a folder of the same name', 'a/b', ['folder', 'link']],
    ['through a link to a name with a slash in it', 'a/b', ['link', 'whole']],
    ['into the repository itself', '.git', ['whole']],
    ['where the path leads up', '..', ['whole']],
  ] as const)('lays out no submodule %s', async (about, path, parts) => {
    const name = `evil-${about.replaceAll(' ', '-')}`;
    const [brought, { work, publish, git }] = [
      await newRepository(root, `${name}-brought`),
      await newRepository(root, name),
    ];
    const commit = await brought.commit({ config: 'broken [', own: 'x\n' });
    await brought.publish();
    const victim = mkdtempSync(join(root, 'victim-'));
    mkdirSync(join(victim, 'b'));
    const [top = '', inner = ''] = path.split('/');
    const file = `[submodule "m"]\n\tpath = ${path}\n\turl = ../${name}-brought.git\n`;
    const entries = {
      link: () => ['120000', top, writeObject(work, 'blob', victim)],
      folder: () => ['40000', top, writeTree(work, [['160000', inner, commit]])],
      whole: () => ['160000', path, commit],
    };
    const tree = writeTree(work, [
      ['100644', '.gitmodules', writeObject(work, 'blob', file)],
      ...parts.map((part) => entries[part]()),
    ]);
    await git('update-ref', 'refs/heads/main', (await git('commit-tree', '-m', 'x', tree)).trim());
    await publish();
    const found = await fetch('', { url: `${server.origin}/${name}.git` });
    expect(readdirSync(join(victim, 'b'))).toEqual([]);
    expect(found.get('own')).toBeUndefined();
    expect(found.get('.gitmodules')).toBeDefined();
  });

  it('goes on where tsbuild was started by a hook of another repository', async () => {
    const odd = { GIT_DIR: '/nowhere', GIT_WORK_TREE: '/nowhere', GIT_INDEX_FILE: '/nowhere/index' };
    Object.assign(process.env, odd);
    try {
      expect((await fetch('')).commit).toBe(second);
    } finally {
      for (const name of Object.keys(odd)) delete process.env[name];
    }
  });

  it('says that git is missing', async () => {
    const former = process.env.PATH;
    process.env.PATH = root;
    try {
      await expect(fetch('')).rejects.toMatchObject({
        message: expect.stringContaining('"git" is not installed'),
      });
    } finally {
      process.env.PATH = former;
    }
  });

  it('says what is not there, and who cannot be reached', async () => {
    await expect(fetch('', { url: `${server.origin}/nothing.git` })).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(fetch('', { url: 'http://127.0.0.1:1/x.git' })).rejects.toMatchObject({
      code: 'network',
    });
  });

  describe('behind a login', () => {
    const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
    const guarded = async (authorization: string, first?: GitServerOptions['first']) =>
      await startGitServer({ root, authorization, ...(first && { first }) });

    it.each([
      ['GIT_AUTH_TOKEN', 'tok', basic('x-access-token:tok')],
      ['GIT_AUTH_TOKEN.127.0.0.1', 'tok', basic('x-access-token:tok')],
      ['GIT_AUTH_HEADER', 'Bearer abc', 'Bearer abc'],
    ])('lets the secret %s in', async (id, value, expected) => {
      const own = await guarded(expected);
      try {
        const url = `${own.origin}/main.git`;
        expect((await fetch('?submodules=0', { url, secrets: { [id]: value } })).commit).toBe(second);
        await expect(fetch('', { url })).rejects.toMatchObject({
          code: 'denied',
          hint: expect.stringContaining('GIT_AUTH_TOKEN'),
        });
        const wrong = await fetch('', { url, secrets: { [id]: 'wrong' } }).catch((error: Error) => error);
        expect(wrong).toMatchObject({ code: 'denied' });
        expect(JSON.stringify(wrong)).not.toContain('wrong');
      } finally {
        await own.stop();
      }
    });

    it("lets the person's own git log in", async () => {
      const own = await guarded(basic('me:own'));
      const home = mkdtempSync(join(root, 'home-'));
      writeFileSync(
        join(home, '.gitconfig'),
        '[credential]\n\thelper = "!echo username=me; echo password=own; :"\n',
      );
      const former = process.env.HOME;
      process.env.HOME = home;
      try {
        expect((await fetch('?submodules=0', { url: `${own.origin}/main.git` })).commit).toBe(second);
      } finally {
        process.env.HOME = former;
        await own.stop();
      }
    });

    it('takes a login of the address, and shows it nowhere', async () => {
      const own = await guarded(basic('me:pass word'));
      try {
        const url = `${own.origin.replace('//', '//me:pass%20word@')}/main.git`;
        const found = await fetch('?submodules=0', { url, keep: true });
        expect(text(found, '.git/config')).not.toContain('pass');
        expect(JSON.stringify(found.events)).not.toContain('pass');
      } finally {
        await own.stop();
      }
    });

    it('never sends a secret to another server: not by a redirect, and not by a submodule', async () => {
      const own = await guarded(basic('x-access-token:tok'), (request, response) => {
        if (!request.url?.startsWith('/moved.git')) return false;
        response.writeHead(302, { location: `${server.origin}/main.git${request.url.slice(10)}` }).end();
        return true;
      });
      const secrets = { GIT_AUTH_TOKEN: 'tok' };
      server.seen.length = 0;
      try {
        expect(
          (await fetch('', { url: `${own.origin}/main.git`, secrets })).get('lib/module/own'),
        ).toBeDefined();
        await expect(fetch('', { url: `${own.origin}/moved.git`, secrets })).rejects.toMatchObject({
          code: 'denied',
        });
      } finally {
        await own.stop();
      }
      expect(server.seen.length).toBeGreaterThan(0);
      expect(server.seen.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
    });
  });
});

interface Asked {
  readonly keep: boolean;
  readonly secrets: Readonly<Record<string, string>>;
  readonly url: string;
}

interface Fetched {
  readonly commit: string;
  readonly files: readonly ContextFile[];
  readonly events: readonly EventBody[];
  get(path: string): ContextFile | undefined;
}

/** An object as it stands, which no git would make so. */
function writeObject(folder: string, type: 'blob' | 'tree', content: string | Buffer): string {
  const args = ['-C', folder, 'hash-object', '-w', '--literally', '-t', type, '--stdin'];
  return execFileSync('git', args, { input: content, encoding: 'utf8' }).trim();
}

/** A tree of `mode, name, id`, in the order that is given. */
function writeTree(folder: string, entries: readonly (readonly string[])[]): string {
  const bytes = entries.map(([mode, name, id = '']) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]),
  );
  return writeObject(folder, 'tree', Buffer.concat(bytes));
}

/** A submodule without `git submodule add`, which would fetch it. */
async function linkSubmodule(
  repository: TestRepository,
  { path, url, commit }: { readonly path: string; readonly url: string; readonly commit: string },
): Promise<void> {
  const file = join(repository.work, '.gitmodules');
  writeFileSync(
    file,
    `[submodule "m"]\n\tpath = ${path}\n\turl = ${JSON.stringify(url)}\n\tupdate = !touch x\n`,
  );
  mkdirSync(join(repository.work, path), { recursive: true });
  await repository.git('update-index', '--add', '--cacheinfo', `160000,${commit},${path}`);
}
