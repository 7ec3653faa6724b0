import { resolve } from 'node:path';
import type { Surroundings } from '../commands/surroundings.ts';
import { errorLine, failureCode } from './failure.ts';
import { type CommonFlags, choice, flag, type RegistryFlags, registryOptions } from './flags.ts';
import type { Host } from './host.ts';
import { storeRoot } from './root.ts';
import { descriptorOf, openShowing, type ShowingFlags } from './showing.ts';
import { parseChoice } from './values.ts';

/** Flags that the commands besides build share. */
export type Flags = CommonFlags & RegistryFlags & ShowingFlags & { readonly format?: string };

/** What a command gets that shows no progress: warnings are told as lines. `images` are those that its words name. */
export function still(flags: Flags, host: Host, images: readonly string[] = []): Surroundings {
  return {
    place: host.place,
    env: host.env,
    root: storeRoot(flags, host),
    registry: registryOptions(flags, (path) => resolve(host.cwd, path), images),
    signal: host.signal,
    interrupted: host.interrupted,
    emit: (event) => {
      if (event.type === 'note' && event.level === 'warning') host.write(2, `warning: ${event.text}\n`);
    },
    print: (text) => void host.write(1, text),
    say: (text) => void host.write(2, text),
    output: (fd, chunk) => host.write(fd, chunk),
  };
}

/** Runs a command that shows its transfers; its own lines come after the picture. */
export async function shown(
  title: string,
  { flags, host, images }: { readonly flags: Flags; readonly host: Host; readonly images: readonly string[] },
  work: (here: Surroundings) => Promise<void>,
): Promise<number> {
  const showing = await openShowing(flags, host, { title });
  const late: [number, string][] = [];
  const here = {
    ...still(flags, host, images),
    emit: showing.emit,
    print: (text: string) => void late.push([1, text]),
    say: (text: string) => void (showing.mode === 'quiet' || late.push([2, text])),
  };
  try {
    await work(here);
    return 0;
  } catch (error) {
    if (showing.mode !== 'events') throw error;
    showing.writeLine(errorLine(error, host));
    return failureCode(error, host);
  } finally {
    showing.close();
    for (const [fd, text] of late) host.write(fd, text);
  }
}

/** Does the work of a command whose answer is its output; a program of ours is told on its descriptor why there is none. */
export async function answered(flags: Flags, host: Host, work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    if (flags.eventsFd === undefined) throw error;
    host.write(descriptorOf(flags.eventsFd), `${JSON.stringify(errorLine(error, host))}\n`);
    return failureCode(error, host);
  }
}

export function jsonFlag() {
  return choice('--format <kind>', 'json, for programs', ['json']);
}

/** Where a program of ours is told what happens. */
export function eventsFlag() {
  return flag('--events-fd <number>', '').hideHelp();
}

export function progressFlags() {
  return [
    choice(
      '--progress <mode>',
      'auto, tty, plain, rawjson, quiet or none (default: $BUILDKIT_PROGRESS, or auto)',
      ['auto', 'tty', 'plain', 'rawjson', 'quiet', 'none'],
    ),
    eventsFlag(),
  ];
}

export function wantsJson(flags: { readonly format?: string }): boolean {
  return (
    flags.format !== undefined && parseChoice('--format', flags.format, ['json', 'table'] as const) === 'json'
  );
}

/** Columns that a result may take; undefined where it goes to a file or another program, and nothing is cut. */
export function columnsOf(host: Host): number | undefined {
  return host.isTerminal(1) ? host.size().columns : undefined;
}
