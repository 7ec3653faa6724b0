import { describe, expect, it } from 'vitest';
import { splitCommand } from '../../../src/cli/argv.ts';
import { Failure, tellFailure } from '../../../src/cli/failure.ts';
import { main } from '../../../src/cli/main.ts';
import { storeRoot } from '../../../src/cli/root.ts';
import { openShowing } from '../../../src/cli/showing.ts';
import { BuildError } from '../../../src/core/errors.ts';
import { readPlace } from '../../../src/core/place.ts';
import { fakeHost } from './fake-host.ts';

async function run(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const host = fakeHost({ cwd: '/' });
  const code = await main(argv, host);
  return { code, stdout: host.written[1]!, stderr: host.written[2]! };
}

const names = ['build', 'push', 'images', 'manifest create', 'manifest push', 'compose build'];

describe('the command line', () => {
  it.each([
    ['-t x .', 'build', '-t x .'],
    ['build -t x .', 'build', '-t x .'],
    ['push a b', 'push', 'a b'],
    ['--root /r -D images -q', 'images', '--root /r -D -q'],
    ['--root=/r images', 'images', '--root=/r'],
    ['-t push .', 'build', '-t push .'],
    ['--root images .', 'build', '--root images .'],
    ['./push', 'build', './push'],
    ['manifest create a b', 'manifest create', 'a b'],
    ['compose -f a.yaml --profile=x -p me build web', 'compose build', '-f a.yaml --profile=x -p me web'],
    ['-D manifest --root /r push a', 'manifest push', '-D --root /r a'],
  ])('splits %s', (argv, name, args) => {
    const split = splitCommand(argv.split(' '), names);
    expect([split.name, split.args.join(' ')]).toEqual([name, args]);
  });

  it('prints help within 80 columns, in groups, with examples last', async () => {
    const { code, stdout } = await run('build', '--help');
    expect(code).toBe(0);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).toMatch(/^Usage: tsbuild build \[flags\] CONTEXT\n/);
    expect(stdout).toMatch(/^CONTEXT is a folder, /m);
    expect(stdout).not.toContain('(preset');
    const groups = [...stdout.matchAll(/^([A-Z][a-z]+):$/gm)].map((match) => match[1]);
    expect(groups).toEqual([
      ...['Input', 'Names', 'Output', 'Cache', 'Run', 'Registry', 'Reproducible', 'Attest', 'See', 'General'],
      'Examples',
    ]);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^ {2}tsbuild /);
  });

  it('hides from help what has no effect and what is not there', async () => {
    const { stdout } = await run('build', '--help');
    for (const flag of ['--rm', '--layers', '--tar-path', '--events-fd', '--no-push', '--cache-repo'])
      expect(stdout).not.toMatch(new RegExp(`${flag}\\b`));
  });

  it.each([
    'push',
    'pull',
    'images',
    'inspect',
    'history',
    'tag',
    'rmi',
    'save',
    'load',
    'manifest create',
    'login',
    'logout',
  ])('prints help of %s', async (name) => {
    const { code, stdout } = await run(...name.split(' '), '--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: tsbuild ${name} `));
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(await run('help', ...name.split(' '))).toEqual({ code, stdout, stderr: '' });
  });

  it('gives an overview', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).toContain('  push              send an image to a registry\n');
    expect((await run('help')).stdout).toBe(stdout);
    expect(await run()).toEqual({ code: 2, stdout: '', stderr: stdout });
  });

  it('tells its version', async () => {
    expect((await run('--version')).stdout).toMatch(/^tsbuild \S/);
  });

  it.each([
    [['--tagg', 'x', '.'], 'error: unknown flag --tagg\nhint: Did you mean --tag? '],
    [['system', 'df'], 'error: unknown command system\nhint: `tsbuild --help` lists the commands.\n'],
    [['imagse'], 'error: unknown command imagse\nhint: Did you mean `tsbuild images`?\n'],
    [['manifest'], 'error: manifest needs a word more\nhint: There are: create, inspect, push.\n'],
    [
      ['manifest', 'psuh'],
      'error: unknown command manifest psuh\nhint: Did you mean `tsbuild manifest push`?\n',
    ],
    [['no-such-folder-here'], 'error: there is no folder /no-such-folder-here\n'],
    [
      ['push'],
      "error: missing required argument 'name'\nhint: Write tsbuild push [flags] NAME [DESTINATION].\n",
    ],
    [['tag', 'a', 'b', 'c'], "error: tag does not take 'c'\nhint: Write tsbuild tag "],
    [['load', 'x.tar'], "error: load does not take 'x.tar'\nhint: Write tsbuild load [flags] -i FILE.\n"],
    [['images', '--formatt', 'json'], 'error: unknown flag --formatt\nhint: Did you mean --format?'],
    [['build', '.', '--progress', 'fancy'], "error: --progress 'fancy' is not known\n"],
  ])('refuses %j with exit 2', async (argv, text) => {
    const { code, stdout, stderr } = await run(...argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(text);
  });
});

describe('failures', () => {
  it('shows a build error with its source, and exits 1', async () => {
    const host = fakeHost();
    const location = { file: 'Containerfile', startLine: 2, startColumn: 1, endLine: 2, endColumn: 9 };
    const error = new BuildError('run-failed', 'the command failed', { location, log: ['boom'] });
    const read = () => 'FROM x\nRUN make\n';
    const code = await tellFailure(
      new Failure(error, { read, step: '[2/2] RUN make', logFile: '/l' }),
      false,
      host,
    );
    expect(code).toBe(1);
    expect(host.written[2]).toContain('> [2/2] RUN make:\nboom\n------\ncomplete log: /l\n');
    expect(host.written[2]).toContain('   2 | >>> RUN make\n');
  });

  it('calls anything else a bug, with the stack only under --debug', async () => {
    const quiet = fakeHost();
    expect(await tellFailure(new TypeError('x is not y'), false, quiet)).toBe(1);
    expect(quiet.written[2]).toContain('this is a bug in tsbuild');
    expect(quiet.written[2]).not.toContain('main.test.ts');
    const loud = fakeHost();
    await tellFailure(new TypeError('x is not y'), true, loud);
    expect(loud.written[2]).toContain('main.test.ts');
  });

  it.each([130, 143])('exits %d when a signal stopped it', async (signalCode) => {
    const host = fakeHost({ interrupted: () => signalCode });
    expect(await tellFailure(new BuildError('interrupted', 'stopped'), false, host)).toBe(signalCode);
    expect(host.written[2]).toBe('tsbuild: interrupted\n');
  });
});

describe('the store', () => {
  it.each([
    ['/flag', { TSBUILD_ROOT: '/env' }, '/flag'],
    ['rel', {}, '/cwd/rel'],
    [undefined, { TSBUILD_ROOT: '/env', XDG_DATA_HOME: '/data' }, '/env'],
    [undefined, { XDG_DATA_HOME: '/data' }, '/data/tsbuild'],
    [undefined, { XDG_DATA_HOME: 'relative' }, '/home/someone/.local/share/tsbuild'],
    [undefined, {}, '/home/someone/.local/share/tsbuild'],
  ])('lives where --root %s and %j say', (root, env, expected) => {
    expect(storeRoot(root === undefined ? {} : { root }, fakeHost({ cwd: '/cwd', env }))).toBe(expected);
  });

  it('is nowhere below the current folder where HOME is empty', () => {
    const place = readPlace({ HOME: '', TSBUILD_HOME: '' });
    expect(storeRoot({}, { cwd: '/cwd', env: {}, place })).toBe('/.local/share/tsbuild');
  });
});

describe('showing', () => {
  it('sends events to a descriptor of their own', async () => {
    const host = fakeHost({ now: () => 12.4 });
    const showing = await openShowing({ eventsFd: '3' }, host, { title: 'Building' });
    showing.emit({ type: 'note', level: 'info', text: 'hello' });
    showing.writeLine({ type: 'result' });
    expect(host.written[3]).toBe(
      '{"type":"note","level":"info","text":"hello","at":12}\n{"type":"result"}\n',
    );
    expect(host.written[2]).toBe('');
    await expect(openShowing({ eventsFd: 'x' }, host, { title: '' })).rejects.toThrow('is not a descriptor');
  });

  it.each([
    [{}, { terminal: true, term: 'xterm' }, 'tty'],
    [{}, { terminal: true, term: 'dumb' }, 'plain'],
    [{}, { terminal: false, term: 'xterm' }, 'plain'],
    [{ progress: 'plain' }, { terminal: true, term: 'xterm' }, 'plain'],
    [{ progress: 'tty' }, { terminal: false, term: 'xterm' }, 'plain'],
    [{ progress: 'none' }, { terminal: true, term: 'xterm' }, 'quiet'],
    [{ quiet: true }, { terminal: true, term: 'xterm' }, 'quiet'],
    [{}, { terminal: true, term: 'xterm', BUILDKIT_PROGRESS: 'plain' }, 'plain'],
    [{}, { terminal: true, term: 'xterm', BUILDKIT_PROGRESS: '' }, 'tty'],
    [{ progress: 'auto' }, { terminal: true, term: 'xterm', BUILDKIT_PROGRESS: 'plain' }, 'tty'],
  ] as const)('%j on %j is %s', async (flags, { terminal, term, ...env }, mode) => {
    const host = fakeHost({ isTerminal: () => terminal, env: { ...env, TERM: term } });
    const showing = await openShowing(flags, host, { title: 'Building' });
    showing.close();
    expect(showing.mode).toBe(mode);
  });

  it('remembers the step that failed', async () => {
    const showing = await openShowing({ quiet: true }, fakeHost(), { title: 'Building' });
    showing.emit({ type: 'step-start', step: '0/1', name: '[1/1] RUN x' });
    showing.emit({ type: 'step-end', step: '0/1', outcome: 'failed', log: '/logs/x' });
    expect(showing.failed()).toEqual({ step: '[1/1] RUN x', logFile: '/logs/x' });
  });
});
