import type { ElfMachine } from './elf.ts';

/**
 * The interpreter of a program: it loads the call of a record, makes it, keeps the result and goes to one of the records
 * that this one names. It uses no stack and writes nothing but results, so that a call may as well be clone.
 */
export interface Interpreter {
  readonly elf: ElfMachine;
  /** A line per instruction: its bytes in the order of memory, then what an assembler takes. */
  readonly code: string;
}

/** Where things lie; the instructions below hold these numbers. */
export const layout = {
  code: 0x4000b0,
  /** Two words, written where a call fails: the number of its record, and errno. */
  failure: 0x500400,
  /** The record that is gone to when nothing else was said about a failure. */
  onFailure: 0x500410,
  start: 0x5004f0,
};

/**
 * A record: 32 bits each for the call's number and the record's own, then words: where the six arguments are read, where the
 * result is written, a value to compare it with, the record that follows, the one that follows when the values are equal,
 * 128 bits for the errors that are no failure, and the record that follows these.
 */
export const record = {
  size: 112,
  arguments: 8,
  result: 56,
  equals: 64,
  next: 72,
  equal: 80,
  tolerated: 88,
  otherwise: 104,
};

/** The program's bytes. */
export function machineCode({ code }: Interpreter): Buffer {
  return Buffer.from(
    instructions(code)
      .map(([bytes]) => bytes)
      .join(''),
    'hex',
  );
}

/** Bytes and mnemonic of each instruction; a mnemonic may begin with a label. */
export function instructions(code: string): readonly (readonly [bytes: string, mnemonic: string])[] {
  const lines = code.split('\n').map((line) => line.trim());
  return lines.filter(Boolean).map((line) => [line.split(/\s+/)[0]!, line.replace(/^\S+\s+/, '')] as const);
}

export const interpreters: Readonly<Record<string, Interpreter>> = {
  x64: {
    elf: { bits: 64, machine: 62 },
    code: `
      bbf0045000        start: mov ebx, 0x5004f0
      488b7b08          call: mov rdi, [rbx+8]
      488b3f            mov rdi, [rdi]
      488b7310          mov rsi, [rbx+16]
      488b36            mov rsi, [rsi]
      488b5318          mov rdx, [rbx+24]
      488b12            mov rdx, [rdx]
      4c8b5320          mov r10, [rbx+32]
      4d8b12            mov r10, [r10]
      4c8b4328          mov r8, [rbx+40]
      4d8b00            mov r8, [r8]
      4c8b4b30          mov r9, [rbx+48]
      4d8b09            mov r9, [r9]
      8b03              mov eax, [rbx]
      0f05              syscall
      488b4b38          mov rcx, [rbx+56]
      488901            mov [rcx], rax
      483d01f0ffff      cmp rax, -4095
      7312              jae error
      483b4340          cmp rax, [rbx+64]
      7406              je equal
      488b5b48          mov rbx, [rbx+72]
      ebb7              jmp call
      488b5b50          equal: mov rbx, [rbx+80]
      ebb1              jmp call
      48f7d8            error: neg rax
      8b4b04            mov ecx, [rbx+4]
      48890c2500045000  mov [0x500400], rcx
      4889042508045000  mov [0x500408], rax
      3d80000000        cmp eax, 128
      730c              jae fail
      0fa34358          bt [rbx+88], eax
      7306              jnc fail
      488b5b68          mov rbx, [rbx+104]
      eb88              jmp call
      bb10045000        fail: mov ebx, 0x500410
      eb81              jmp call
    `,
  },
  arm64: {
    elf: { bits: 64, machine: 183 },
    code: `
      139e8052          start: mov w19, #0x04f0
      130aa072          movk w19, #0x50, lsl #16
      608640a9          call: ldp x0, x1, [x19, #8]
      000040f9          ldr x0, [x0]
      210040f9          ldr x1, [x1]
      628e41a9          ldp x2, x3, [x19, #24]
      420040f9          ldr x2, [x2]
      630040f9          ldr x3, [x3]
      649642a9          ldp x4, x5, [x19, #40]
      840040f9          ldr x4, [x4]
      a50040f9          ldr x5, [x5]
      680240b9          ldr w8, [x19]
      010000d4          svc #0
      691e40f9          ldr x9, [x19, #56]
      200100f9          str x0, [x9]
      1ffc3fb1          cmn x0, #4095
      02010054          b.hs error
      692240f9          ldr x9, [x19, #64]
      1f0009eb          cmp x0, x9
      60000054          b.eq equal
      732640f9          ldr x19, [x19, #72]
      edffff17          b call
      732a40f9          equal: ldr x19, [x19, #80]
      ebffff17          b call
      e00300cb          error: neg x0, x0
      690640b9          ldr w9, [x19, #4]
      0a808052          mov w10, #0x0400
      0a0aa072          movk w10, #0x50, lsl #16
      490100a9          stp x9, x0, [x10]
      1ffc01f1          cmp x0, #127
      08010054          b.hi fail
      09fc46d3          lsr x9, x0, #6
      690e098b          add x9, x19, x9, lsl #3
      292d40f9          ldr x9, [x9, #88]
      2925c09a          lsr x9, x9, x0
      69000036          tbz w9, #0, fail
      733640f9          ldr x19, [x19, #104]
      ddffff17          b call
      13828052          fail: mov w19, #0x0410
      130aa072          movk w19, #0x50, lsl #16
      daffff17          b call
    `,
  },
};
