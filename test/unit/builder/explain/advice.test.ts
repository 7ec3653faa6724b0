import { describe, expect, it } from 'vitest';
import { type Advised, adviceFor } from '../../../../builder/explain/advice.ts';
import type { Change, Explanation } from '../../../../src/core/events.ts';

const file = (name: string, fields: Partial<Change> = {}): Change => ({
  ...{ what: 'file', name, how: 'changed', aspect: 'content' },
  ...fields,
});
const argument = (before: string, after: string, name = 'BUILD'): Change => ({
  ...{ what: 'build argument', name, how: 'changed', before, after },
});
const below: Change = { what: 'layer below', name: '[2/3] COPY . .', how: 'changed' };
const paths = ['package.json', 'package-lock.json', 'web/package.json', 'src/a.js', 'go.mod'];

function advised(fields: Partial<Advised>): string[] {
  return adviceFor({ command: '', changes: [], before: () => [], ...fields });
}

function afterCopy(
  command: string,
  changes: readonly Change[] = [file('src/a.js')],
  text = 'COPY . .',
): string[] {
  return advised({ command, changes: [below], cause: { text, changes, paths: () => paths } });
}

describe('advice', () => {
  it('copies package manifests before sources', () => {
    expect(afterCopy('npm ci --omit=dev')).toEqual([
      'Copy package.json, web/package.json and package-lock.json in a line of their own before "npm ci", and the other files after it: it then runs only when those change.',
    ]);
    expect(afterCopy('set -e\ngo mod download')[0]).toMatch(
      /^Copy go\.mod in a line of its own .* when that changes\.$/,
    );
  });

  it.each([
    ['the manifests changed', () => afterCopy('npm ci', [file('package-lock.json')])],
    ['there are none', () => afterCopy('pip install -r requirements.txt')],
    ['nothing is installed', () => afterCopy('npm run build')],
    ['another kind of step gave another layer', () => afterCopy('npm ci', [], 'RUN make')],
  ])('says nothing of manifests where %s', (_, advice) => {
    expect(advice()).toEqual([]);
  });

  it.each(['apt-get install -y curl', 'apt-get -y install curl', 'apk add --no-cache git', 'dnf install x'])(
    'puts system packages before files: %s',
    (command) => {
      expect(afterCopy(command)).toEqual([
        'Put this step before "COPY . .", unless it uses those files: then it stays in the cache when they change.',
      ]);
    },
  );

  it.each([
    [
      '.git/index',
      'Name .git in .dockerignore: it changes with every commit and checkout, and no step needs it.',
    ],
    [
      'web/node_modules/a/b.js',
      'Name node_modules in .dockerignore: it changes while the sources stay, and no step needs it.',
    ],
    ['lib/a.pyc', 'Name a.pyc in .dockerignore: it changes while the sources stay, and no step needs it.'],
  ])('leaves out what no image needs: %s', (name, sentence) => {
    expect(advised({ changes: [file(name), file('src/a.js')], ignoreFile: '.dockerignore' })).toEqual([
      sentence,
    ]);
    expect(advised({ changes: [file(`made:/${name}`)] })).toEqual([]);
  });

  it('declares an argument where it is used', () => {
    expect(advised({ command: 'make all', changes: [argument('1', '2')] })).toEqual([
      'This step does not name BUILD: declare ARG BUILD below it, and the value no longer matters here.',
    ]);
    expect(advised({ command: 'make BUILD=$BUILD', changes: [argument('1', '2')] })).toEqual([]);
  });

  it.each([
    ['2026-01-02', '2026-01-03'],
    ['2026-01-02T10:00:00Z', '2026-01-02T10:00:01Z'],
    ['1700000000', '1700000001'],
    ['a'.repeat(40), 'b'.repeat(40)],
  ])('knows a value that is another one in every build: %s', (before, after) => {
    expect(advised({ command: 'echo $BUILD', changes: [argument(before, after)] })).toEqual([
      'BUILD is another one in every build: use it in the last step, or give it as a label with --label.',
    ]);
  });

  it('notices a file that has changed in every build', () => {
    const changes = [file('version.txt')];
    const told: Explanation = { reason: 'changed', changes, advice: [] };
    const other: Explanation = { ...told, changes: [file('other.txt')] };
    const one = { changes, ignoreFile: '.containerignore' };
    expect(advised({ ...one, before: () => [told, told] })).toEqual([
      'version.txt has changed in each of the last 3 builds: copy it in a later step, or name it in .containerignore.',
    ]);
    expect(advised({ ...one, before: () => [told] })).toEqual([]);
    expect(advised({ ...one, before: () => [told, other] })).toEqual([]);
  });

  it('recognises the modes of another umask', () => {
    const mode = (before: string, after: string) => file('a', { aspect: 'mode', before, after });
    const sentence =
      'Only modes differ, as they do when a repository is checked out under another umask: set "umask 022" before, or give the modes with --chmod.';
    const of = (...changes: Change[]) => advised({ changes, ignoreFile: '.dockerignore' });
    expect(of(mode('0644', '0664'), mode('0755', '0775'))).toEqual([sentence]);
    expect(of(mode('0644', '0755'))).toEqual([]);
    expect(of(mode('0644', '0664'), file('b'))).toEqual([]);
  });

  it('pins a base image that moved', () => {
    const [before, after] = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string];
    const base = (fields: Partial<Change>): Change => ({
      what: 'base image',
      name: 'alpine',
      how: 'changed',
      ...fields,
    });
    expect(advised({ pulled: true, changes: [base({ before, after })] })).toEqual([
      'alpine means another image now: --lock keeps what it means until you decide otherwise.',
    ]);
    expect(advised({ changes: [base({ before, after })] })).toEqual([]);
    expect(
      advised({ pulled: true, changes: [base({ before: `debian@${before}`, after: `alpine@${after}` })] }),
    ).toEqual([]);
  });
});
