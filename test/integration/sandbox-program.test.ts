import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemble } from '../../builder/sandbox/program/assemble.ts';
import { at, block, call, from, goto, type Item, label } from '../../builder/sandbox/program/calls.ts';
import { instructions, interpreters, machineCode } from '../../builder/sandbox/program/interpreter.ts';
import { messages, waitFor } from '../../builder/sandbox/program/namespaces.ts';
import {
  awaitGo,
  dieWithUs,
  message,
  type StartOptions,
  start,
  tell,
  tellFailure,
} from '../../builder/sandbox/program/start.ts';
import { type Request, superviseProgram } from '../../builder/sandbox/supervise.ts';
import { skip } from '../support/skips.ts';

const SIGCHLD = 17;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsbuild-program-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly failures: readonly string[];
  readonly told: readonly (readonly [number, number])[];
}

/** Runs a program to its end; `told` may answer. */
async function perform(items: readonly Item[], told: (go: () => void) => void = () => {}): Promise<Outcome> {
  const out = join(folder, 'stdout');
  const fd = openSync(out, 'w');
  const failures: string[] = [];
  const messages: [number, number][] = [];
  const options: StartOptions = {
    stdio: ['ignore', fd, fd],
    folder,
    failed: ({ call: { name, about }, errno }) => failures.push(`${name} ${about}: ${errno}`),
    told: (number, value) => {
      messages.push([number, value]);
      told(go);
    },
  };
  const { child, go } = start(assemble(items), options);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.once('close', (...ended) => resolve(ended)),
  );
  return { code, signal, stdout: readFileSync(out, 'utf8'), failures, told: messages };
}

const exit = (code: number): Item => call('exit_group', [code]);
const say = (text: string): Item => call('write', [1, text, text.length]);

/** What has to come out of the same calls on every architecture. */
const sample: readonly Item[] = (() => {
  const [missing, never, there] = [label(), label(), label()];
  const pid = block();
  return [
    say('one\n'),
    call('faccessat', [-100, '/nope-at-all', 0], { tolerate: ['EACCES', 'ENOENT'], otherwise: missing }),
    never,
    say('never\n'),
    exit(9),
    missing,
    call('getpid', [], { result: from(pid) }),
    call('kill', [from(pid), 0]),
    call('getpid', [], { when: { equals: 1, goto: never } }),
    call('removexattr', ['/dev/null', 'user.none'], {
      tolerate: ['EOPNOTSUPP', 'ENODATA', 'EPERM', 'EACCES'],
      otherwise: there,
    }),
    goto(never),
    there,
    say('two\n'),
    exit(7),
  ];
})();

describe('a program of system calls', () => {
  it('makes its calls in order, goes where results lead, and ends', async () => {
    expect(await perform(sample)).toEqual({
      code: 7,
      signal: null,
      stdout: 'one\ntwo\n',
      failures: [],
      told: [],
    });
  });

  it('tells which call failed with which error', async () => {
    const outcome = await perform([
      call('chdir', ['/dev/null'], { about: 'go there', tolerate: ['ENOENT'] }),
      exit(0),
    ]);
    expect(outcome).toMatchObject({ code: 125, failures: ['chdir go there: ENOTDIR'] });
  });

  it('tells a failure that was tolerated, and goes on', async () => {
    const outcome = await perform([
      call('chdir', ['/nope-at-all'], { about: 'go there', tolerate: 'all' }),
      tellFailure,
      exit(3),
    ]);
    expect(outcome).toMatchObject({ code: 3, failures: ['chdir go there: ENOENT'] });
  });

  it('keeps results for later calls, and addresses in memory', async () => {
    const text = block(['from a block\n']);
    const vector = block([from(text).block.words[0]!, 13]);
    const word = message(5);
    const outcome = await perform([
      call('writev', [1, vector, 1]),
      call('dup3', [1, 9, 0], { result: from(word, 8) }),
      tell(word),
      call('write', [from(word, 8), at(block([0x4142434445464748n]), 2), 3]),
      exit(0),
    ]);
    expect(outcome).toMatchObject({ stdout: 'from a block\nFED', told: [[5, 9]], code: 0 });
  });

  it('forks, and tells how the other one ended', async () => {
    const child = label();
    const status = message(1);
    const outcome = await perform([
      call('clone', [17], { when: { equals: 0, goto: child } }),
      call('wait4', [-1, at(status, 8), 0, 0]),
      tell(status),
      exit(0),
      child,
      say('child\n'),
      exit(5),
    ]);
    expect(outcome).toMatchObject({ stdout: 'child\n', told: [[1, 5 << 8]], code: 0 });
  });

  it('waits to be told to go on', async () => {
    const outcome = await perform([tell(message(0)), ...awaitGo(), say('went\n'), exit(0)], (go) => go());
    expect(outcome).toMatchObject({ stdout: 'went\n', told: [[0, 0]], code: 0 });
  });

  it('inherits no variable and no descriptor', async () => {
    const buffer = block(new Array(64).fill(0));
    const last = label();
    const outcome = await perform([
      ...dieWithUs(),
      call('openat', [-100, '/proc/self/environ', 0]),
      call('read', [4, buffer, 512], { when: { equals: 0, goto: last } }),
      exit(1),
      last,
      say('nothing\n'),
      exit(0),
    ]);
    expect(outcome).toMatchObject({ stdout: 'nothing\n', code: 0, failures: [] });
  });

  it('refuses text that no program can be given', () => {
    expect(() => assemble([call('chdir', ['a\0b'])])).toThrow(/NUL/);
  });

  it('holds long lists and much content', async () => {
    const content = Buffer.alloc(3_000_000, 'x');
    const lines = Array.from({ length: 3000 }, () => call('getppid', []));
    const outcome = await perform([...lines, call('write', [1, content, content.length]), exit(0)]);
    expect(outcome.stdout.length).toBe(content.length);
  });
});

describe('the interpreter', () => {
  const assemblers = {
    x64: ['as', '--64', '-msyntax=intel', '-mnaked-reg'],
    arm64: ['aarch64-linux-gnu-as'],
  };

  it.each(['x64', 'arm64'] as const)('has for %s the bytes that an assembler makes', (architecture) => {
    const [program, ...flags] = assemblers[architecture];
    if (skip(`the machine code for ${architecture}`, { programs: [program!] })) return;
    const lines = instructions(interpreters[architecture]!.code).map(([, mnemonic]) => mnemonic);
    const object = join(folder, `${architecture}.o`);
    execFileSync(program!, [...flags, '-o', object, '-'], { input: `${lines.join('\n')}\n` });
    const file = readFileSync(object);
    const code = machineCode(interpreters[architecture]!);
    expect(textOf(file).toString('hex')).toBe(code.toString('hex'));
  });

  it('does on arm64 what it does here', async () => {
    if (skip('a program for arm64', { programs: ['qemu-aarch64-static'] })) return;
    const path = join(folder, 'arm64');
    writeFileSync(path, assemble(sample, 'arm64').file, { mode: 0o755 });
    const { status, stdout } = spawnSync('qemu-aarch64-static', [path], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([7, 'one\ntwo\n']);
  });
});

/** The first section named .text of an object file: its offset and size stand in the section's header (elf.h). */
function textOf(object: Buffer): Buffer {
  const [table, size, count, names] = [
    Number(object.readBigUInt64LE(40)),
    object.readUInt16LE(58),
    object.readUInt16LE(60),
    object.readUInt16LE(62),
  ];
  const header = (index: number): Buffer => object.subarray(table + index * size);
  const strings = Number(header(names).readBigUInt64LE(24));
  for (let index = 0; index < count; index++) {
    const one = header(index);
    const name = object.subarray(strings + one.readUInt32LE(0)).toString('latin1', 0, 6);
    const [offset, length] = [Number(one.readBigUInt64LE(24)), Number(one.readBigUInt64LE(32))];
    if (name === '.text\0') return object.subarray(offset, offset + length);
  }
  throw new Error('no code in the object file');
}

describe('a program under supervision', () => {
  it('is answered though its process asks before anyone told where that is', async () => {
    const [first, asked, ended] = [messages.first, messages.userNamespace, messages.firstStatus].map(message);
    const [child, born] = [label(), from(block())];
    const program = assemble([
      call('getpid', [], { result: from(first!, 8) }),
      call('clone', [SIGCHLD], { result: born, when: { equals: 0, goto: child } }),
      tell(asked!),
      tell(first!),
      ...waitFor(ended!),
      tell(ended!),
      exit(0),
      child,
      ...awaitGo(),
      exit(7),
    ]);
    const seen: Request[] = [];
    const io = { stdin: 'empty' as const, stdout: () => {}, stderr: () => {} };
    const own = mkdtempSync(join(folder, 'supervised-'));
    const around = { io, folder: own, signal: new AbortController().signal, terminal: 'own' as const };
    const attend = async (request: Request): Promise<void> => void seen.push(request);
    expect(await superviseProgram(program, { ...around, attend })).toMatchObject({ code: 7 });
    expect(seen).toEqual([{ message: messages.userNamespace, value: 0, pid: expect.any(Number) }]);
    expect(seen[0]?.pid).toBeGreaterThan(1);
  });
});
