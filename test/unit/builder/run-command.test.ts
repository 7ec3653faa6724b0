import { describe, expect, it } from 'vitest';
import { commandOf, strictShell } from '../../../builder/steps/run-command.ts';
import { beginningOf } from '../../../src/containerfile/heredoc.ts';
import { parse } from '../../../src/containerfile/parse.ts';
import type { CommandLine } from '../../../src/containerfile/types.ts';

const sh = ['/bin/sh', '-c'];

function command(text: string): CommandLine {
  const [run] = parse(`FROM a\n${text}\n`, 'f').stages[0]!.instructions;
  if (run?.kind !== 'run') throw new Error('not a RUN');
  return run.command;
}

describe('the command of a RUN', () => {
  it.each<[string, readonly string[], readonly (readonly [string, string])[]]>([
    ['RUN a $B', [...sh, 'a $B'], []],
    ['RUN ["a", "$B"]', ['a', '$B'], []],
    ['RUN <<EOF\na\nb\nEOF', [...sh, 'a\nb\n'], []],
    ['RUN <<-"EOF"\n\ta\n\tEOF', [...sh, 'a\n'], []],
    [
      'RUN <<EOF\n#!/bin/awk -f\nx\nEOF',
      [...sh, '/dev/pipes/EOF'],
      [['/dev/pipes/EOF', '#!/bin/awk -f\nx\n']],
    ],
    ['RUN <<EOF python3\nx\nEOF', [...sh, '<<EOF python3\nx\nEOF'], []],
    [
      'RUN cat <<A | tr a b && cat 3<<B <&3\na\nA\nb\nB',
      [...sh, 'cat <<A | tr a b && cat 3<<B <&3\na\nA\nb\nB'],
      [],
    ],
  ])('%j', (text, args, files) => {
    const found = commandOf(command(text), sh);
    expect(found.args).toEqual(args);
    expect(found.files.map(({ path, content }) => [path, content])).toEqual(files);
  });
});

describe('the strict shell', () => {
  it.each([
    ['RUN <<EOF\na\nEOF', sh, ['/bin/sh', '-e', '-c']],
    ['RUN <<EOF\na\nEOF', ['/bin/bash', '-o', 'pipefail', '-c'], ['/bin/bash', '-e', '-o', 'pipefail', '-c']],
    ['RUN <<EOF\na\nEOF', ['bash', '-euxc'], ['bash', '-e', '-euxc']],
    ['RUN <<EOF\na\nEOF', ['pwsh', '-c'], ['pwsh', '-c']],
    ['RUN <<EOF\na\nEOF', ['/bin/sh', '-x'], ['/bin/sh', '-x']],
    ['RUN <<EOF\n#!/bin/sh\na\nEOF', sh, sh],
    ['RUN <<EOF cat\na\nEOF', sh, sh],
    ['RUN a', sh, sh],
    ['RUN ["a"]', sh, sh],
  ])('%j in %j', (text, shell, strict) => expect(strictShell(command(text), shell)).toEqual(strict));
});

describe('how a heredoc begins', () => {
  it.each([
    ['RUN <<EOF\n\nset -e\nmake\nEOF', ' (set -e...)'],
    ['RUN <<EOF\r\nmake\r\nEOF\r', ' (make)'],
    ['RUN <<EOF\n#!/bin/awk -f\nx\nEOF', ' (#!/bin/awk -f...)'],
    ['RUN <<EOF\nEOF', ''],
    ['RUN <<EOF sh\nmake\nEOF', ''],
    ['RUN make', ''],
    ['RUN ["make"]', ''],
  ])('%j', (text, shown) => {
    expect(beginningOf(command(text))).toBe(shown);
  });
});
