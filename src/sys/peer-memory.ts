import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { errnoOf } from '../core/errors.ts';
import type { Arena } from './arena.ts';
import { answer, declare } from './libc.ts';

const readvCall = declare('process_vm_readv', 'long', vectorArguments());
const writevCall = declare('process_vm_writev', 'long', vectorArguments());

const EFAULT = 14;
const ENOSYS = 38;
const EPERM = 1;

/**
 * Memory of other processes, read into and written from an arena. process_vm_readv(2) where it may be used, else
 * /proc/PID/mem.
 */
export class PeerMemory {
  readonly #arena: Arena;
  readonly #vectors: number;
  #byFile = false;

  /** `vectors` is the offset of 32 bytes in the arena. */
  constructor(arena: Arena, vectors: number) {
    this.#arena = arena;
    this.#vectors = vectors;
  }

  /** Bytes read, which may be fewer than asked for where the memory ends; a negative errno for none. */
  read(pid: number, from: bigint, to: { readonly offset: number; readonly length: number }): number {
    if (this.#byFile) return this.#file(pid, from, { ...to, write: false });
    this.#describe(from, to);
    const address = this.#arena.address + this.#vectors;
    const result = answer(readvCall(pid, address, 1, address + 16, 1, 0));
    return this.#mustUseFile(result) ? this.read(pid, from, to) : result;
  }

  /** True where all was written. */
  write(pid: number, to: bigint, from: { readonly offset: number; readonly length: number }): boolean {
    if (this.#byFile) return this.#file(pid, to, { ...from, write: true }) === from.length;
    this.#describe(to, from);
    const address = this.#arena.address + this.#vectors;
    const result = answer(writevCall(pid, address, 1, address + 16, 1, 0));
    return this.#mustUseFile(result) ? this.write(pid, to, from) : result === from.length;
  }

  #describe(remote: bigint, local: { readonly offset: number; readonly length: number }): void {
    const { bytes, address } = this.#arena;
    const at = this.#vectors;
    bytes.writeBigUInt64LE(BigInt(address + local.offset), at);
    bytes.writeBigUInt64LE(BigInt(local.length), at + 8);
    bytes.writeBigUInt64LE(remote, at + 16);
    bytes.writeBigUInt64LE(BigInt(local.length), at + 24);
  }

  #mustUseFile(result: number): boolean {
    this.#byFile = result === -ENOSYS || result === -EPERM;
    return this.#byFile;
  }

  #file(
    pid: number,
    address: bigint,
    { offset, length, write }: { readonly offset: number; readonly length: number; readonly write: boolean },
  ): number {
    try {
      const fd = openSync(`/proc/${pid}/mem`, write ? 'r+' : 'r');
      try {
        if (!write) return readSync(fd, this.#arena.bytes, { offset, length, position: address });
        return writeSync(fd, this.#arena.bytes, offset, length, Number(address));
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return -EFAULT;
    }
  }
}

function vectorArguments(): string[] {
  return ['int', 'uintptr_t', 'unsigned long', 'uintptr_t', 'unsigned long', 'unsigned long'];
}
