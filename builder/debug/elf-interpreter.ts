const PT_INTERP = 3;

/** The loader that a program (ELF, 64 bits, little-endian) wants; undefined for one that needs none. */
export function interpreterOf(program: Buffer): string | undefined {
  const [table, size, count] = [
    Number(program.readBigUInt64LE(32)),
    program.readUInt16LE(54),
    program.readUInt16LE(56),
  ];
  for (let at = table; at < table + size * count; at += size) {
    if (program.readUInt32LE(at) !== PT_INTERP) continue;
    const [offset, length] = [program.readBigUInt64LE(at + 8), program.readBigUInt64LE(at + 32)].map(Number);
    return program.toString('latin1', offset, offset! + length! - 1);
  }
  return undefined;
}
