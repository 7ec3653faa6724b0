import { type ElfMachine, elfFile, elfHeaderSize } from './program/elf.ts';

/** An architecture, and the machine code of `exit(0)` on it. */
interface Machine extends ElfMachine {
  /** Hexadecimal, in the order of memory. */
  readonly code: string;
}

const machines: Readonly<Record<string, Machine>> = {
  '386': { bits: 32, machine: 3, code: 'b80100000031dbcd80' },
  amd64: { bits: 64, machine: 62, code: 'b83c00000031ff0f05' },
  arm: { bits: 32, machine: 40, flags: 0x5000000, code: '0170a0e30000a0e3000000ef' },
  arm64: { bits: 64, machine: 183, code: 'a80b8052000080d2010000d4' },
  loong64: { bits: 64, machine: 258, flags: 0x43, code: '0b7481030400800300002b00' },
  mips64le: { bits: 64, machine: 8, flags: 0x80000007, code: 'c2130224000004240c000000' },
  ppc64le: { bits: 64, machine: 21, flags: 2, code: '010000380000603802000044' },
  riscv64: { bits: 64, machine: 243, flags: 5, code: '9308d0051305000073000000' },
  s390x: { bits: 64, bigEndian: true, machine: 22, code: 'a72900000a01' },
};

/** Where the program is loaded; a multiple of every page size. */
const BASE = 0x400000;

/** The smallest program of an architecture: it ends with 0. Undefined for an architecture that is not known. */
export function exitProgram(architecture: string): Buffer | undefined {
  const machine = Object.hasOwn(machines, architecture) ? machines[architecture] : undefined;
  if (machine === undefined) return undefined;
  const address = BASE + elfHeaderSize(machine, 1);
  return elfFile(machine, [{ address, rights: 'read-execute', content: Buffer.from(machine.code, 'hex') }]);
}
