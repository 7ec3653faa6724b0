import { constants } from 'node:os';
import { commandCode } from '../command-code.ts';
import { assemble } from '../program/assemble.ts';
import { messages } from '../program/namespaces.ts';
import { type Failure, start } from '../program/start.ts';
import { exitCodeOf } from '../supervise.ts';
import { type MountedPlan, mountedProgram } from './program.ts';

export interface RunningMounted {
  /** The command's exit code, or 128 + signal number, once nothing of it is left. */
  readonly ended: Promise<number>;
  /** Sends a signal to the command; one that has ended takes no notice. */
  send(signal: NodeJS.Signals): void;
}

/**
 * Starts the command with our standard streams, in our session and process group. `folder` is private, and empty. Rejects
 * with `sandbox` where the image cannot be mounted. Call it from the main thread.
 */
export function runMounted(plan: MountedPlan, folder: string, say: (text: string) => void): RunningMounted {
  const failures: Failure[] = [];
  const told = new Map<number, number>();
  // The command may be heard by others before we are told which process it is.
  const waiting: NodeJS.Signals[] = [];
  const send = (signal: NodeJS.Signals): void => {
    const command = told.get(messages.command);
    if (command === undefined) waiting.push(signal);
    else kill(command, signal);
  };
  const { child } = start(assemble(mountedProgram(plan)), {
    stdio: ['inherit', 'inherit', 'inherit'],
    folder,
    attached: true,
    failed: (failure) => failures.push(failure),
    told: (message, value) => {
      told.set(message, value);
      if (message === messages.command) for (const signal of waiting.splice(0)) send(signal);
    },
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit, signal) => {
      const status = told.get(messages.commandStatus);
      const own = exit ?? 128 + (signal === null ? 0 : constants.signals[signal]);
      resolve(status === undefined ? own : exitCodeOf(status));
    });
  });
  const stderr = (chunk: Buffer): void => say(chunk.toString());
  return { ended: ended.then((code) => commandCode({ code, failures }, plan, { stderr })), send };
}

function kill(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // It has ended by itself.
  }
}
