import { declare, memoryAt } from './libc.ts';

const mmapCall = declare('mmap', 'uintptr_t', ['uintptr_t', 'size_t', 'int', 'int', 'int', 'long']);

const readAndWrite = 3;
const privateAndAnonymous = 0x22;

/** Memory that stays where it is until the process ends: calls that are made often get plain addresses in it. */
export interface Arena {
  readonly address: number;
  readonly bytes: Buffer;
}

export function arena(size: number): Arena {
  const address = Number(mmapCall(0, size, readAndWrite, privateAndAnonymous, -1, 0));
  return { address, bytes: memoryAt(address, size) };
}
