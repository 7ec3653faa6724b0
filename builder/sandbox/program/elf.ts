/** The machine of an ELF file (elf.h). */
export interface ElfMachine {
  readonly bits: 32 | 64;
  readonly bigEndian?: boolean;
  /** `e_machine` and `e_flags` of the header. */
  readonly machine: number;
  readonly flags?: number;
}

/** What the kernel loads at an address, and with which rights. */
export interface ElfSegment {
  /** The segment lies in the file at the last 16 bits of this: right for every page size up to 64 KiB. */
  readonly address: number;
  readonly rights: 'read-execute' | 'read-write';
  readonly content: Buffer;
}

const EXECUTABLE = 2;
const LOAD = 1;
const RIGHTS = { 'read-execute': 5, 'read-write': 6 };
const LARGEST_PAGE = 0x10000;

/** How many bytes stand before the first segment's content may begin. */
export function elfHeaderSize({ bits }: ElfMachine, segments: number): number {
  return bits === 64 ? 64 + 56 * segments : 52 + 32 * segments;
}

/**
 * A static executable: its first segment is entered at its beginning. Segments come in the order in which they lie in
 * the file, each on pages of its own.
 */
export function elfFile(machine: ElfMachine, segments: readonly ElfSegment[]): Buffer {
  const headers = Buffer.concat([
    fileHeader(machine, segments),
    ...segments.map((segment) => programHeader(machine, segment)),
  ]);
  const file = Buffer.alloc(
    Math.max(...segments.map((segment) => offsetOf(segment) + segment.content.length)),
  );
  headers.copy(file);
  for (const segment of segments) segment.content.copy(file, offsetOf(segment));
  return file;
}

function offsetOf({ address }: ElfSegment): number {
  return address % LARGEST_PAGE;
}

function fileHeader(machine: ElfMachine, segments: readonly ElfSegment[]): Buffer {
  const [own, each] = machine.bits === 64 ? [64, 56] : [52, 32];
  const identity = [
    0x7f,
    0x45,
    0x4c,
    0x46,
    machine.bits / 32,
    machine.bigEndian ? 2 : 1,
    1,
    ...new Array(9).fill(0),
  ];
  return new HeaderWriter(machine)
    .bytes(...identity)
    .half(EXECUTABLE, machine.machine)
    .word(1)
    .address(segments[0]!.address, own, 0)
    .word(machine.flags ?? 0)
    .half(own, each, segments.length, 0, 0, 0)
    .whole();
}

function programHeader(machine: ElfMachine, segment: ElfSegment): Buffer {
  const { address, rights, content } = segment;
  const out = new HeaderWriter(machine).word(LOAD);
  if (machine.bits === 64) out.word(RIGHTS[rights]);
  out.address(offsetOf(segment), address, address, content.length, content.length);
  if (machine.bits === 32) out.word(RIGHTS[rights]);
  return out.address(LARGEST_PAGE).whole();
}

/** Numbers in the order and width of a machine. */
class HeaderWriter {
  readonly #parts: Buffer[] = [];
  readonly #machine: ElfMachine;

  constructor(machine: ElfMachine) {
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
