/** One system call of a probe: `abi name`, number, arguments, and the error that is to come of it. */
export type Call = readonly [name: string, number: number, args: readonly number[], answer: string];

const errnos: Readonly<Record<number, string>> = {
  0: 'allowed',
  1: 'EPERM',
  2: 'ENOENT',
  3: 'ESRCH',
  9: 'EBADF',
  13: 'EACCES',
  14: 'EFAULT',
  16: 'EBUSY',
  22: 'EINVAL',
  38: 'ENOSYS',
};

const base = 0x400000;
const headersBytes = 64 + 56;
const recordBytes = 64;
const X32 = 0x40000000;

/**
 * A static program for x86-64 that makes each call and writes one letter to stdout for what came of it (`answersOf`):
 * by `syscall` (`x86-64`, and `x32` with its bit set) or by `int 0x80` (`i386`), which no C library would do in one
 * program.
 */
export function callProgram(calls: readonly Call[]): Buffer {
  const code = codeFor(base + headersBytes + codeBytes, calls.length);
  const records = Buffer.concat(calls.map(record));
  const size = headersBytes + code.length + records.length;
  return Buffer.concat([headers(size), code, records]);
}

/** What the program wrote, a line per call. */
export function answersOf(calls: readonly Call[], written: string): string[] {
  return calls.map(([name], at) => {
    const errno = written.charCodeAt(at) - 64;
    return `${name}: ${Number.isNaN(errno) ? 'not made' : (errnos[errno] ?? errno)}`;
  });
}

/** Which door, number, six arguments: eight words. */
function record([name, number, args]: Call): Buffer {
  const words = Buffer.alloc(recordBytes);
  const put = (at: number, value: number): unknown => words.writeBigInt64LE(BigInt(value), at * 8);
  put(0, name.startsWith('i386 ') ? 1 : 0);
  put(1, name.startsWith('x32 ') ? number + X32 : number);
  for (const [at, value] of args.entries()) put(at + 2, value);
  return words;
}

const codeBytes = 0x8c;

/** Annotated by hand; `int 0x80` leaves r12 to r15 alone. */
function codeFor(records: number, count: number): Buffer {
  return Buffer.from(
    [
      `49 c7 c4 ${little(records)}`, // 00 mov r12, records
      `49 c7 c5 ${little(count)}`, //   07 mov r13, count
      '49 8b 44 24 08', //              0e mov rax, [r12 + 8]
      '49 83 3c 24 00', //              13 cmp qword [r12], 0
      '75 22', //                       18 jne 3c
      '49 8b 7c 24 10', //              1a mov rdi, [r12 + 16]
      '49 8b 74 24 18', //              1f mov rsi, [r12 + 24]
      '49 8b 54 24 20', //              24 mov rdx, [r12 + 32]
      '4d 8b 54 24 28', //              29 mov r10, [r12 + 40]
      '4d 8b 44 24 30', //              2e mov r8, [r12 + 48]
      '4d 8b 4c 24 38', //              33 mov r9, [r12 + 56]
      '0f 05', //                       38 syscall
      'eb 22', //                       3a jmp 5e
      '49 8b 5c 24 10', //              3c mov rbx, [r12 + 16]
      '49 8b 4c 24 18', //              41 mov rcx, [r12 + 24]
      '49 8b 54 24 20', //              46 mov rdx, [r12 + 32]
      '49 8b 74 24 28', //              4b mov rsi, [r12 + 40]
      '49 8b 7c 24 30', //              50 mov rdi, [r12 + 48]
      '49 8b 6c 24 38', //              55 mov rbp, [r12 + 56]
      'cd 80', //                       5a int 0x80
      '90 90', //                       5c nop, nop
      'f7 d8', //                       5e neg eax
      '83 e0 3f', //                    60 and eax, 63
      '83 c0 40', //                    63 add eax, 64
      '41 88 04 24', //                 66 mov [r12], al
      'b8 01 00 00 00', //              6a mov eax, 1 (write)
      '89 c7', //                       6f mov edi, eax
      '4c 89 e6', //                    71 mov rsi, r12
      '89 c2', //                       74 mov edx, eax
      '0f 05', //                       76 syscall
      '49 83 c4 40', //                 78 add r12, 64
      '49 ff cd', //                    7c dec r13
      '75 8d', //                       7f jnz 0e
      'b8 e7 00 00 00', //              81 mov eax, 231 (exit_group)
      '31 ff', //                       86 xor edi, edi
      '0f 05', //                       88 syscall
      '90 90', //                       8a nop, nop
    ]
      .join('')
      .replaceAll(' ', ''),
    'hex',
  );
}

function little(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('hex');
}

/** An ELF header and one segment that may be read, written and executed. */
function headers(size: number): Buffer {
  const bytes = Buffer.alloc(headersBytes);
  bytes.write('7f454c46020101', 'hex');
  for (const [at, value] of [
    [16, 2],
    [18, 62],
    [52, 64],
    [54, 56],
    [56, 1],
  ] as const)
    bytes.writeUInt16LE(value, at);
  bytes.writeUInt32LE(1, 20);
  bytes.writeUInt32LE(1, 64);
  bytes.writeUInt32LE(7, 68);
  const words = [
    [24, base + headersBytes],
    [32, 64],
    [80, base],
    [88, base],
    [96, size],
    [104, size],
    [112, 0x1000],
  ];
  for (const [at, value] of words as [number, number][]) bytes.writeBigUInt64LE(BigInt(value), at);
  return bytes;
}
