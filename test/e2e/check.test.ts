import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

let tsbuild: AsyncDisposable & Tsbuild;

beforeAll(async () => {
  tsbuild = await newTsbuild('root');
});
afterAll(async () => await tsbuild[Symbol.asyncDispose]());

/** Writes a context with just this Containerfile. */
function context(name: string, lines: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const folder = join(tsbuild.folder, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries({ Containerfile: `${lines.join('\n')}\n`, ...more })) {
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

const mistakes = [
  'FROM scratch as base',
  'COPPY a /b',
  'COPY --chwon=1 a /b',
  'EXPOSE 80/http',
  'ENV legacy value',
  'COPY --chmod=999 a /c',
  'COPY --from=last $nothing /x/',
  'FROM scratch AS last',
  'STOPSIGNAL SIGTREM',
];

/** What must be told, in this order: the place, and the beginning of the message. */
const told = [
  ['1:14', 'as is written in another case than FROM'],
  ['2:1', 'unknown instruction: COPPY'],
  ['3:6', 'unknown flag: --chwon'],
  ['4:8', 'invalid port "80/http"'],
  ['5:5', 'ENV is written in its old form'],
  ['6:14', "invalid chmod parameter: '999'"],
  ['7:13', 'cannot copy from stage "last"'],
  ['7:18', 'nothing defines the variable $nothing'],
  ['9:12', 'invalid signal: SIGTREM'],
] as const;

describe('--check', () => {
  it('shows every mistake of a file, each at its place, and builds nothing', async () => {
    const folder = context('mistakes', mistakes, { a: 'a', b: 'b' });
    const { code, stdout, stderr } = await tsbuild.run(['build', '--check', '.'], { cwd: folder });
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(/^Check complete, 6 errors and 3 warnings have been found!\n/);
    const places = [...stdout.matchAll(/^Containerfile:(\d+:\d+)$/gm)].map((match) => match[1]);
    expect(places).toEqual(told.map(([place]) => place));
    for (const [, message] of told) expect(stdout).toContain(message);
    expect(stdout).toContain('hint: Did you mean COPY?');
    expect(stdout).toContain('   2 | >>> COPPY a /b\n     |     ^^^^^\n');
  });

  it('tells the same in JSON', async () => {
    const folder = context('json', mistakes);
    const { code, stdout } = await tsbuild.run(['build', '--call=check,format=json', folder]);
    const { warnings, errors, buildError, sources } = JSON.parse(stdout);
    expect([code, warnings.length, errors.length]).toEqual([1, 3, 6]);
    expect(warnings[0]).toEqual({
      ruleName: 'FromAsCasing',
      description: 'AS is written in the case of its FROM',
      url: 'https://docs.docker.com/go/dockerfile/rule/from-as-casing/',
      detail: 'as is written in another case than FROM',
      location: {
        sourceIndex: 0,
        ranges: [{ start: { line: 1, character: 13 }, end: { line: 1, character: 15 } }],
      },
    });
    expect(buildError).toEqual(errors[0]);
    expect(errors[0]).toMatchObject({ message: 'unknown instruction: COPPY', hint: 'Did you mean COPY?' });
    expect(Buffer.from(sources[0].data, 'base64').toString()).toBe(`${mistakes.join('\n')}\n`);
  });

  it('finds nothing in a good file, from stdin and without a context too', async () => {
    const folder = context('good', [
      'FROM scratch AS a',
      'COPY x /x',
      'FROM debian',
      'COPY --from=a /x $HOME/',
    ]);
    for (const args of [
      ['--check', folder],
      ['--check', '-f', join(folder, 'Containerfile')],
    ]) {
      const { code, stdout } = await tsbuild.run(['build', ...args]);
      expect([code, stdout]).toEqual([0, 'Check complete, no warnings found.\n']);
    }
    const { stdout } = await tsbuild.run(['build', '--check', '-'], { input: 'FROM scratch as x\n' });
    expect(stdout).toContain('\nWARNING: FromAsCasing - https://docs.docker.com/');
  });

  it('knows the ignore file of a folder', async () => {
    const folder = context('ignored', ['FROM scratch', 'COPY a /a'], { '.dockerignore': 'a\n', a: '' });
    const { stdout } = await tsbuild.run(['build', '--check', folder]);
    expect(stdout).toContain('"a" is hidden by the ignore file');
  });

  it('looks at the stages of a target only, where one is given', async () => {
    const folder = context('target', ['FROM scratch AS a', 'COPY $x /x', 'FROM scratch AS b']);
    const { code } = await tsbuild.run(['build', '--check', '--target', 'b', folder]);
    expect([code, (await tsbuild.run(['build', '--check', folder])).code]).toEqual([0, 1]);
  });
});

describe('--call', () => {
  const lines = [
    '# VERSION of the base',
    'ARG VERSION=3',
    `ARG IMAGE=debian:\${VERSION}`,
    'ARG UNUSED=1',
    '# build compiles',
    'FROM $IMAGE AS build',
    '# MODE of the program',
    'ARG MODE=release',
    'RUN --mount=type=secret,id=token,required --mount=type=cache,target=/c true',
    'FROM scratch AS app',
    'COPY --from=build /a /b',
  ];

  it('outlines what a build takes', async () => {
    const folder = context('outline', lines);
    const text = await tsbuild.must(['build', '--call=outline', folder]);
    expect(text).toBe(
      [
        'TARGET:  app',
        '',
        'BUILD ARG  VALUE     DESCRIPTION',
        'VERSION    3         of the base',
        'IMAGE      debian:3',
        'MODE       release   of the program',
        '',
        'SECRET  REQUIRED',
        'token   true',
        '',
        'CACHE MOUNT',
        '/c',
        '',
      ].join('\n'),
    );
    const json = JSON.parse(
      await tsbuild.must(['build', '--call=outline,format=json', '--build-arg', 'MODE=debug', folder]),
    );
    expect(json.args.map((arg: { name: string; value: string }) => `${arg.name}=${arg.value}`)).toEqual([
      'VERSION=3',
      'IMAGE=debian:3',
      'MODE=debug',
    ]);
    expect(json.secrets).toMatchObject([{ name: 'token', required: true }]);
  });

  it('lists the targets', async () => {
    const folder = context('targets', lines);
    const text = await tsbuild.must(['build', '--call=targets', folder]);
    expect(text).toBe('TARGET         DESCRIPTION\nbuild          compiles\napp (default)\n');
    const { targets } = JSON.parse(await tsbuild.must(['build', '--call=targets,format=json', folder]));
    expect(targets).toMatchObject([
      { name: 'build', description: 'compiles', base: '$IMAGE' },
      { name: 'app', default: true, base: 'scratch' },
    ]);
  });

  it('fails with all that is wrong with a file', async () => {
    const folder = context('bad', ['FROM scratch', 'COPPY a b', 'RUM x']);
    const { code, stderr } = await tsbuild.run(['build', '--call=targets', folder]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/unknown instruction: COPPY[\s\S]*unknown instruction: RUM/);
  });
});

describe('the warnings of a build', () => {
  const lines = ['FROM scratch as base', 'CMD run', 'COPY x /x'];

  it('stand below it, and with --debug with their lines', async () => {
    const folder = context('warned', lines, { x: '' });
    const { code, stderr } = await tsbuild.run(['build', '--progress=plain', folder]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /FINISHED .*\n(?: {2}.*\n)*\n 2 warnings found \(use --debug to expand\):\n - FromAsCasing: .* \(line 1\)\n - JSONArgsRecommended: .* \(line 2\)\n\n$/,
    );
    const debug = await tsbuild.run(['build', '-D', '--progress=plain', folder]);
    expect(debug.stderr).toMatch(/ 2 warnings found:\n[\s\S]*More info: https:[\s\S]*>>> CMD run\n/);
  });

  it('stand below a failed one too', async () => {
    const folder = context('failed', lines);
    const { code, stderr } = await tsbuild.run(['build', '--progress=plain', folder]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/ 2 warnings found [\s\S]*error: /);
  });

  it('fail it before anything is made, where the file says so', async () => {
    const folder = context('strict', ['# check=error=true', ...lines], { x: '' });
    const { code, stderr } = await tsbuild.run(['build', '--progress=plain', folder]);
    expect(code).toBe(1);
    expect(stderr).toContain('error: lint violation found for rules: FromAsCasing, JSONArgsRecommended\n');
    expect(stderr).not.toContain('COPY x /x\n#');
  });

  it('name what no one else says: owners and build args that nothing knows', async () => {
    const folder = context('silent', ['FROM scratch', 'COPY --chown=nobody x /x'], { x: '' });
    const args = ['build', '--progress=plain', '--build-arg', 'MODE=1', folder];
    const { stderr } = await tsbuild.run(args);
    expect(stderr).toContain('"nobody" is not known in the image');
    expect(stderr).toContain(' - UnusedBuildArg: build arg MODE is not used: no ARG declares it (line 1)\n');
    const skip = ['--build-arg', 'BUILDKIT_DOCKERFILE_CHECK=skip=UnknownOwner,UnusedBuildArg', '--no-cache'];
    const quiet = await tsbuild.run([...args, ...skip]);
    expect(quiet.stderr).not.toMatch(/nobody" is not|UnusedBuildArg/);
  });
});
