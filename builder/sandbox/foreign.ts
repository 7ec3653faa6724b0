import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError } from '../../src/core/errors.ts';
import { formatPlatform, hostPlatform } from '../../src/core/platform.ts';
import type { Platform } from '../../src/core/types.ts';
import { type Handler, handlerFor, handlers } from './binfmt.ts';
import { exitProgram } from './exit-program.ts';
import { assemble } from './program/assemble.ts';
import { call } from './program/calls.ts';
import { becomeProgram } from './program/namespaces.ts';
import { dieWithUs, start } from './program/start.ts';

export interface Around {
  /** A private folder. */
  readonly scratch: string;
  /** Whether the image has a file at an absolute path. */
  readonly has: (path: string) => Promise<boolean>;
}

/** Longer than any emulator needs for a program of two system calls. */
const PATIENCE_MS = 30_000;

/**
 * Makes sure that programs of an image for `machine` can run here: by themselves, as 386 does on amd64, or through an
 * emulator that binfmt_misc knows. The kernel itself is asked, with the smallest program of that architecture in a
 * root that holds nothing else. Fails with `sandbox`.
 */
export async function checkRuns(machine: Platform, around: Around): Promise<void> {
  if (machine.os !== hostPlatform().os) throw cannotRun(machine, 'No emulator runs another system.');
  const program = exitProgram(machine.architecture);
  if (program === undefined) throw cannotRun(machine, advice(undefined));
  if (await runsAlone(program, around.scratch)) return;
  const handler = handlerFor(program, handlers());
  if (handler?.enabled && !handler.flags.includes('F') && (await around.has(handler.interpreter))) return;
  throw cannotRun(machine, advice(handler));
}

/** What a step's own process would find out is found out here before there is one. */
async function runsAlone(program: Buffer, scratch: string): Promise<boolean> {
  const root = join(scratch, 'foreign');
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'exit'), program, { mode: 0o755 });
  const items = [
    ...dieWithUs(),
    call('chroot', [root]),
    call('chdir', ['/']),
    ...becomeProgram(['/exit'], []),
  ];
  const { child } = start(assemble(items), {
    stdio: ['ignore', 'ignore', 'ignore'],
    folder: scratch,
    failed: () => {},
  });
  const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const [code] = await once(child, 'close');
  clearTimeout(patience);
  return code === 0;
}

function cannotRun(machine: Platform, remedy: string): BuildError {
  const [wanted, own] = [machine, hostPlatform()].map(formatPlatform);
  const instead =
    'Or keep the step on this machine and cross-compile: FROM --platform=$BUILDPLATFORM with ARG TARGETARCH.';
  return new BuildError('sandbox', `programs for ${wanted} cannot run on this machine (${own})`, {
    hint: `${remedy} ${instead}`,
  });
}

function advice(handler: Handler | undefined): string {
  if (handler === undefined) {
    return 'An emulator makes them run: apt-get install qemu-user-static binfmt-support (Debian, Ubuntu), dnf install qemu-user-static (Fedora).';
  }
  const { name, enabled, interpreter } = handler;
  if (!enabled)
    return `Their emulator ${name} is switched off: echo 1 | sudo tee /proc/sys/fs/binfmt_misc/${name}.`;
  return `Their emulator ${name} is registered without the flag F, so that ${interpreter} has to be in the image: install qemu-user-static and binfmt-support, which register it with F.`;
}
