import { type BuildEvent, type Emit, withoutLogins } from '../core/events.ts';
import type { Reporter, Screen } from './screen.ts';

/** `events` is for programs of ours: every event, as it is. */
export type ProgressMode = 'tty' | 'plain' | 'rawjson' | 'quiet' | 'events';

/** `auto` is `tty` on a terminal that can move its cursor, else `plain`. */
export function chooseMode(
  asked: string,
  terminal: { readonly isTerminal: boolean; readonly term: string | undefined },
): ProgressMode {
  if (asked === 'plain' || asked === 'rawjson' || asked === 'quiet') return asked;
  const able = terminal.isTerminal && terminal.term !== 'dumb' && terminal.term !== undefined;
  return able ? 'tty' : 'plain';
}

/** The reporter of a mode; its code is loaded only then. */
export async function openReporter(mode: ProgressMode, screen: Screen): Promise<Reporter> {
  if (mode === 'quiet') return { event: () => {}, close: () => {} };
  if (mode === 'events') return events(screen);
  if (mode === 'rawjson') return (await import('./rawjson.ts')).rawJsonReporter(screen);
  if (mode === 'tty') return (await import('./tty.ts')).ttyReporter(screen);
  return (await import('./plain.ts')).plainReporter(screen);
}

/** Adds the time to each event on its way to a reporter, and takes the logins of addresses out of what it says. */
export function emitTo(reporter: Reporter, now: () => number): Emit {
  return (body) => reporter.event({ ...withoutLogins(body), at: Math.round(now()) } as BuildEvent);
}

/** One event per line, exactly as it happened. */
function events(screen: Screen): Reporter {
  return { event: (event) => screen.write(`${JSON.stringify(event)}\n`), close: () => {} };
}
