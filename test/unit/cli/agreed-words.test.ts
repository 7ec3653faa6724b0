import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { allCommands } from '../../../src/cli/all-commands.ts';
import { ignoredFlags } from '../../../src/cli/build-flags.ts';
import { definitionOf } from '../../../src/cli/definitions.ts';
import { kaniko } from '../../../src/cli/kaniko.ts';

/** The list of commands and flags that were agreed on, where it is at hand: beside the checkout. */
const file = '../shared/CLI.md';
const text = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
if (text === undefined) console.warn(`skipped: what was agreed on: there is no ${file}`);

/** Flags that help lists and the list does not name, and why they are there. */
const ours: Readonly<Record<string, string>> = {
  '--squash-all': "podman's: the same work, and the base's layers too",
  '--cache-max-age': 'what --cache-ttl of kaniko and Buildah is called here',
  '--dns-search': 'goes with --dns',
  '--dns-option': 'goes with --dns',
  '--memory-swap': 'goes with --memory',
  '--cpu-quota': 'goes with --cpus',
  '--cpu-period': 'goes with --cpus',
  '--cpuset-cpus': 'goes with --cpus',
  '--pids-limit': 'goes with --memory',
  '--registry-map': "kaniko's, for mirrors of other registries",
  '--registry-certificate': "kaniko's, and of use to everybody",
  '--root': 'in the text below the table',
  '--help': 'every command has it',
};

const definitions = new Map(allCommands.map((spec) => [spec.name, definitionOf(spec)]));

describe.skipIf(text === undefined)('what was agreed on', () => {
  const agreed = text ?? '';
  const build = definitions.get('build')!;
  const shown = build.flags.flatMap(({ names }) => names);

  it('has the commands that are there, and no others', () => {
    const names = commandsIn(agreed);
    expect(names.filter((name) => !definitions.has(name))).toEqual([]);
    expect([...definitions.keys()].filter((name) => !names.includes(name))).toEqual([]);
  });

  it('has the flags that help of build lists, and no others', () => {
    const flags = flagsIn(tableIn(agreed));
    expect(flags.filter((flag) => !shown.includes(flag))).toEqual([]);
    const extra = shown.filter((flag) => flag.startsWith('--') && !flags.includes(flag) && !(flag in ours));
    expect(extra).toEqual([]);
  });

  it('has the flags of other commands', () => {
    const flags = flagsOfCommands(agreed);
    expect(Object.keys(flags)).toEqual(expect.arrayContaining(['run', 'prune', 'save', 'load']));
    for (const [name, names] of Object.entries(flags)) {
      const definition = definitions.get(name);
      if (definition === undefined) continue;
      const all = definition.flags.flatMap((flag) => flag.names);
      expect(
        names.filter((flag) => !all.includes(flag)),
        name,
      ).toEqual([]);
    }
  });

  it('has --format json for every command that lists', () => {
    const lists = [
      'images',
      'inspect',
      'history',
      'builds',
      'logs',
      'du',
      'cache ls',
      'doctor',
      'layers',
      'diff',
    ];
    const without = lists.filter((name) => {
      const definition = definitions.get(name);
      return definition?.flags.every(({ names }) => !names.includes('--format'));
    });
    expect(without).toEqual([]);
  });

  it('names what has no effect, and what stands for something else', () => {
    const [, ignored = '', mapped = ''] =
      /Accepted without effect, said once:([^.]*)\..*?Mapped from kaniko[^:]*:([^.]*)\./s.exec(agreed)!;
    const withoutEffect = ignoredFlags.map((words) => words.split(' ')[0]!);
    expect(flagsIn(ignored).filter((flag) => !withoutEffect.includes(flag))).toEqual([]);
    const understood = [...Object.keys(kaniko), ...shown, ...build.others];
    expect(flagsIn(mapped).filter((flag) => !understood.includes(flag))).toEqual([]);
    // None of these is offered to people who do not know it already.
    const hidden = [...withoutEffect, ...Object.keys(kaniko)];
    expect(hidden.filter((flag) => shown.includes(flag))).toEqual([]);
  });
});

/** The lines of the synopsis, one or more commands each, with spaces between. */
function synopsisOf(agreed: string): string[] {
  const lines = agreed.split('\n').filter((line) => line.startsWith('    tsbuild '));
  return lines.flatMap((line) => line.replace('    tsbuild ', '').split(/ {3,}/));
}

function commandsIn(agreed: string): string[] {
  const plain = synopsisOf(agreed).filter(
    (text) => /^[a-z[]/.test(text) && !/^(one|a bare|what|join|CMD|every) /.test(text),
  );
  return plain.flatMap((text) => {
    if (text.startsWith('[build]')) return ['build'];
    if (text.startsWith('compose build')) return ['compose build'];
    const [first = '', second = ''] = text.split(' ');
    if (second.includes('|') && /^[a-z|]+$/.test(second) && first !== 'completion')
      return second.split('|').map((member) => `${first} ${member}`);
    return first.split('|');
  });
}

function flagsOfCommands(agreed: string): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const text of synopsisOf(agreed)) {
    const name = text.split(' ')[0]!;
    const flags = [...text.matchAll(/(?<=[\s[])(-[a-z]+|--[a-z-]+)/g)].map(([flag]) => flag);
    const single = flags.flatMap((flag) =>
      flag.startsWith('--') ? [flag] : [...flag.slice(1)].map((one) => `-${one}`),
    );
    if (single.length > 0) found[name] = single;
  }
  return found;
}

/** The rows of the table of flags. */
function tableIn(agreed: string): string {
  return agreed
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| group'))
    .join('\n');
}

/** `-f/--file`, `--pull[=…]`, `--provenance`: long names. */
function flagsIn(text: string): string[] {
  return [...new Set([...text.matchAll(/(?<![a-z-])--[a-z][a-z-]*/g)].map(([flag]) => flag))];
}
