import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { handlerFor, handlers, parseHandler } from '../../../builder/sandbox/binfmt.ts';
import { exitProgram } from '../../../builder/sandbox/exit-program.ts';

/** As Linux writes them (fs/binfmt_misc.c, entry_status): the masks are those that Debian registers. */
const aarch64 = `enabled
interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P
flags: POCF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
`;
const arm = `enabled
interpreter /usr/bin/qemu-arm-static
flags: 
offset 0
magic 7f454c4601010100000000000000000002002800
mask ffffffffffffff00fffffffffffffffffeffffff
`;
const s390x = `disabled
interpreter /usr/bin/qemu-s390x-static
flags: F
offset 0
magic 7f454c4602020100000000000000000000020016
mask ffffffffffffff00fffffffffffffffffffeffff
`;
const python = `enabled
interpreter /usr/bin/python3.11
flags: 
offset 0
magic a70d0d0a
`;
const extension = 'enabled\ninterpreter /usr/bin/wine\nflags: \nextension .exe\n';

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'binfmt-'));
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

describe('handlers of binfmt_misc', () => {
  const all = handlers(
    folderWith({
      ...{ register: '', status: 'enabled\n', 'qemu-aarch64': aarch64, 'qemu-arm': arm },
      ...{ 'qemu-s390x': s390x, 'python3.11': python, wine: extension },
    }),
  );
  const found = (architecture: string) => handlerFor(exitProgram(architecture)!, all);

  it('are found for programs of their machine alone', () => {
    expect(found('arm64')).toMatchObject({
      name: 'qemu-aarch64',
      enabled: true,
      flags: 'POCF',
      interpreter: '/usr/libexec/qemu-binfmt/aarch64-binfmt-P',
    });
    expect(found('arm')).toMatchObject({ name: 'qemu-arm', flags: '' });
    for (const other of ['amd64', '386', 'riscv64', 'ppc64le', 'mips64le'])
      expect(found(other)).toBeUndefined();
  });

  it('are found when they are switched off, behind those that are on', () => {
    expect(found('s390x')).toMatchObject({ name: 'qemu-s390x', enabled: false });
    const second = parseHandler('other', s390x.replace('disabled', 'enabled'))!;
    expect(handlerFor(exitProgram('s390x')!, [...all, second])?.name).toBe('other');
  });

  it('without a mask mean the whole magic, and by name mean no program', () => {
    const known = parseHandler('python3.11', python)!;
    expect(handlerFor(Buffer.from('a70d0d0a00', 'hex'), [known])?.name).toBe('python3.11');
    expect(handlerFor(Buffer.from('a70d0d', 'hex'), [known])).toBeUndefined();
    expect(parseHandler('wine', extension)).toBeUndefined();
  });

  it('are none where nothing is mounted', () => {
    expect(handlers('/nowhere')).toEqual([]);
  });
});

describe('the smallest program', () => {
  it('is known for the machines that images are made for, and for no other', () => {
    const machines = ['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips64le', 'ppc64le', 'riscv64', 's390x'];
    for (const machine of machines) expect(exitProgram(machine)!.subarray(0, 4).toString()).toBe('\x7fELF');
    for (const machine of ['wasm', 'toString', '']) expect(exitProgram(machine)).toBeUndefined();
  });
});
