import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answerCodes } from '../../../builder/debug/debugger.ts';
import { interpreterOf } from '../../../builder/debug/elf-interpreter.ts';
import { parseLine } from '../../../builder/debug/small-shell/parse.ts';
import { workerFile } from '../../../src/core/worker.ts';

/** Each line of words, pipelines apart by what joins them, commands by a stroke. */
function shape(line: string, variables: Readonly<Record<string, string>> = {}): string {
  return parseLine(line, (name) => variables[name] ?? '')
    .map(({ when, commands }) => {
      const texts = commands.map(({ words, input, output }) => {
        const to = output === undefined ? '' : ` ${output.append ? '>>' : '>'}${output.file.text}`;
        const from = input === undefined ? '' : ` <${input.text}`;
        return `${words.map((word) => `${word.text}${word.pattern ? '~' : ''}`).join(',')}${from}${to}`;
      });
      return `${when} ${texts.join(' | ')}`;
    })
    .join(' ');
}

describe('a line for the small shell', () => {
  const cases: readonly (readonly [line: string, shape: string])[] = [
    ['ls -l /tmp', '; ls,-l,/tmp'],
    ['  ', ''],
    ['a # b', '; a'],
    ['a#b', '; a#b'],
    ['echo \'a  b\' "c $X" d\\ e', '; echo,a  b,c 7,d e'],
    [`echo '$X' \\$X $X-\${X}y$?`, '; echo,$X,$X,7-7y0'],
    ['echo "*" *.c', '; echo,*,*.c~'],
    ["echo '' a", '; echo,,a'],
    ['a&&b||c;d|e >f', '; a && b || c ; d | e >f'],
    ['sort <in >>out', '; sort <in >>out'],
    ['echo $ 5$', '; echo,$,5$'],
  ];
  it.each(cases)('%s', (line, expected) => {
    expect(shape(line, { X: '7', '?': '0' })).toBe(expected);
  });

  it.each([
    ["echo 'a", 'a quote is not closed'],
    ['a |', 'a command is missing'],
    ['a >', 'a file is missing behind >'],
    ['a > ; b', 'a file is missing behind >'],
  ])('refuses %s', (line, why) => {
    expect(() => shape(line)).toThrow(why);
  });
});

describe('the small shell', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'small-shell-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function run(command: string, variables: Readonly<Record<string, string>> = {}) {
    const env = { PATH: '/nowhere', TSBUILD_STEP_PATH: '/bin:/usr/bin', ...variables };
    const shell = [process.execPath, workerFile('small-shell'), '-c', command] as const;
    const { status, stdout, stderr } = spawnSync(shell[0], shell.slice(1), {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  }

  const cases: readonly (readonly [command: string, stdout: string])[] = [
    ['echo one > a; echo two >> a; cat a', 'one\ntwo\n'],
    ['mkdir -p x/y; touch x/y/b x/y/a x/.c; ls x; ls -a x; ls x/y', 'y\n.c\ny\na\nb\n'],
    ['mkdir d; touch d/f; cp d e; mv e/f g; ls', 'd\ne\ng\n'],
    ['touch a1 a2 b1; echo a* ?1 c*', 'a1 a2 a1 b1 c*\n'],
    ['export A=1 B=x=y; echo $A $B; unset A; echo "<$A>"', '1 x=y\n<>\n'],
    ['cd /; pwd', '/\n'],
    ['touch f; chmod 640 f; ls -l f | grep 0640 > g; find . | grep g', 'g\n'],
    ['false || echo no; true && echo yes', 'no\nyes\n'],
    ['sh -c "exit 3"; echo $?', '3\n'],
    ['echo a b | tr a-z A-Z | cat', 'A B\n'],
    ['printf "1\\n2\\n3\\n" > n; head -n 2 n; tail -1 < n', '1\n2\n3\n'],
    ['rm none; rm -f none; echo $?', '0\n'],
  ];
  it.each(cases)('%s', (command, stdout) => {
    expect(run(command).stdout).toBe(stdout);
  });

  it('lists links with where they lead', () => {
    expect(run('ln -s target l; ls -l l').stdout).toMatch(/^l0777 \d+:\d+ +6 \S+ \S+ l -> target\n$/);
  });

  it('gives programs the variables of the step, and none of its own', () => {
    const variables = { TSBUILD_STEP_A: '1', TSBUILD_STEP_NODE_OPTIONS: '--nonsense', NODE_PATH: '/x' };
    const shown = run('env', variables).stdout.split('\n').filter(Boolean).sort();
    expect(shown).toEqual(['A=1', 'NODE_OPTIONS=--nonsense', 'PATH=/bin:/usr/bin']);
    expect(run('/usr/bin/env', variables).stdout.split('\n').filter(Boolean).sort()).toEqual(shown);
  });

  it('says what is not there, and ends with the code of the last command', () => {
    expect(run('none-such')).toMatchObject({
      status: 127,
      stderr: 'none-such: not found; `help` lists what this shell knows\n',
    });
    expect(run('cat none')).toMatchObject({ status: 1, stderr: 'cat: none: no such file or directory\n' });
    expect(run('exit 5')).toMatchObject({ status: 5 });
    expect(run("echo 'a").status).toBe(2);
  });

  it.each(Object.entries(answerCodes))('ends with a code of its own at %s', (answer, code) => {
    expect(run(answer).status).toBe(code);
  });

  it('passes bytes through as they are', () => {
    writeFileSync(join(folder, 'bytes'), Buffer.from([0, 255, 10, 128]));
    run('cat bytes | cat > copy');
    expect(readFileSync(join(folder, 'copy'))).toEqual(Buffer.from([0, 255, 10, 128]));
  });
});

describe('the loader of a program', () => {
  it('is what the linker wrote, or none', () => {
    const loader = execFileSync(
      'sh',
      ['-c', 'readlink -f /lib64/ld-linux-x86-64.so.2 /lib/ld-*.so.1 | head -1'],
      {
        encoding: 'utf8',
      },
    ).trim();
    const own = interpreterOf(readFileSync(process.execPath));
    if (own !== undefined)
      expect(execFileSync('readlink', ['-f', own], { encoding: 'utf8' }).trim()).toBe(loader);
    const none = Buffer.alloc(64);
    expect(interpreterOf(none)).toBeUndefined();
  });
});
