import { chmodSync, writeFileSync } from 'node:fs';
import { compileFilter, everyCall } from '../../builder/sandbox/filter.ts';
import { assemble } from '../../builder/sandbox/program/assemble.ts';
import { block, call, from, type Item } from '../../builder/sandbox/program/calls.ts';
import type { FilterRule } from '../../builder/sandbox/seccomp.ts';

const SET_MODE_FILTER = 1;
const NEW_LISTENER = 8;
const ADD_DESCRIPTOR = 0x40182103;
const EINVAL = 22;
const KEPT = 100;

/** What a kernel or a place lacks for owners to be recorded, made by a filter of system calls around the builder. */
const lacks = {
  'no listener': {
    rules: [refuse({ names: ['seccomp'], index: 1, mask: NEW_LISTENER, value: NEW_LISTENER })],
    listened: false,
  },
  'no descriptor as an answer': {
    rules: [refuse({ names: ['ioctl'], index: 1, mask: 0xffffffff, value: ADD_DESCRIPTOR })],
    listened: false,
  },
  'another listener': {
    rules: [{ names: ['acct'], action: 'notify' }],
    listened: true,
  },
} satisfies Record<string, { rules: readonly FilterRule[]; listened: boolean }>;

export type Lack = keyof typeof lacks;

function refuse({
  names,
  ...when
}: {
  names: string[];
  index: number;
  mask: number;
  value: number;
}): FilterRule {
  return { names, action: { errno: EINVAL }, when };
}

/**
 * Writes a program that becomes `command` under a filter. It has to be started by root; a listener stays open in the
 * command and all that it starts, as long as one of them lives, and answers nothing.
 */
export function writeFiltered(
  file: string,
  command: readonly string[],
  { lack, env }: { readonly lack: Lack; readonly env: Readonly<Record<string, string>> },
): void {
  const { rules, listened } = lacks[lack];
  const filter = compileFilter([...rules, everyCall()]);
  const program = block([filter.length / 8, filter]);
  const listener = from(block());
  const variables = Object.entries(env).map((pair) => pair.join('='));
  const items: readonly Item[] = [
    call('seccomp', [SET_MODE_FILTER, listened ? NEW_LISTENER : 0, program], { result: listener }),
    // A copy without close-on-exec.
    ...(listened ? [call('dup3', [listener, KEPT, 0])] : []),
    call('execve', [command[0]!, block([...command, 0]), block([...variables, 0])]),
  ];
  writeFileSync(file, assemble(items).file);
  chmodSync(file, 0o755);
}
