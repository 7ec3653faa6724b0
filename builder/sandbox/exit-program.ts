/** The machine code of `exit(0)` on an architecture, and how an ELF header names that. */
interface Machine {
  readonly bits: 32 | 64;
  readonly bigEndian?: boolean;
  /** `e_machine` and `e_flags` of the ELF header. */
  readonly machine: number;
  readonly flags?: number;
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
const EXECUTABLE = 2;
const LOAD = 1;
const READ_AND_EXECUTE = 5;

/** The smallest program of an architecture: it ends with 0. Undefined for an architecture that is not known. */
export function exitProgram(architecture: string): Buffer | undefined {
  const machine = Object.hasOwn(machines, architecture) ? machines[architecture] : undefined;
  if (machine === undefined) return undefined;
  const code = Buffer.from(machine.code, 'hex');
  const [fileHeader, programHeader] = machine.bits === 64 ? [64, 56] : [52, 32];
  const start = fileHeader + programHeader;
  const size = start + code.length;
  const out = new HeaderWriter(machine);
  out.bytes(
    0x7f,
    0x45,
    0x4c,
    0x46,
    machine.bits / 32,
    machine.bigEndian ? 2 : 1,
    1,
    0,
    ...new Array(8).fill(0),
  );
  out.half(EXECUTABLE, machine.machine).word(1);
  out.address(BASE + start, fileHeader, 0).word(machine.flags ?? 0);
  out.half(fileHeader, programHeader, 1, 0, 0, 0);
  out.word(LOAD);
  if (machine.bits === 64) out.word(READ_AND_EXECUTE);
  out.address(0, BASE, BASE, size, size);
  if (machine.bits === 32) out.word(READ_AND_EXECUTE);
  out.address(0x10000);
  return Buffer.concat([out.whole(), code]);
}

/** Numbers in the order and width of a machine. */
class HeaderWriter {
  readonly #parts: Buffer[] = [];
  readonly #machine: Machine;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  bytes(...values: readonly number[]): this {
    this.#parts.push(Buffer.from(values));
    return this;
  }

  half(...values: readonly number[]): this {
    return this.#numbers(2, values);
  }

  word(...values: readonly number[]): this {
    return this.#numbers(4, values);
  }

  address(...values: readonly number[]): this {
    return this.#numbers(this.#machine.bits / 8, values);
  }

  whole(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #numbers(width: number, values: readonly number[]): this {
    for (const value of values) {
      const bytes = Buffer.alloc(width);
      const low = Math.min(width, 4);
      if (this.#machine.bigEndian) bytes.writeUIntBE(value, width - low, low);
      else bytes.writeUIntLE(value, 0, low);
      this.#parts.push(bytes);
    }
    return this;
  }
}
