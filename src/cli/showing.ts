import { usageError } from '../core/errors.ts';
import type { BuildEvent, Emit } from '../core/events.ts';
import { annotateWarnings } from '../report/annotation.ts';
import { asText, isGitHub, marksOf } from '../report/ci-marks.ts';
import { chooseMode, emitTo, openReporter, type ProgressMode } from '../report/reporter.ts';
import type { Reporter, Screen } from '../report/screen.ts';
import { type FileWarning, isFileWarning, renderWarnings } from '../report/warnings.ts';
import type { Host } from './host.ts';
import { pathsIn, type SourceTexts } from './source-texts.ts';
import { parseChoice } from './values.ts';

/** A story that is being told, and what its end needs to know of it. */
export interface Showing {
  readonly mode: ProgressMode;
  readonly emit: Emit;
  /** The step that failed, and where its log is kept. */
  failed(): { readonly step?: string; readonly logFile?: string };
  /** Tells nothing until what it gives is called; then all that has happened meanwhile. */
  hold(): () => void;
  /** Writes a line that is no event, for programs of ours. */
  writeLine(value: object): void;
  /** Ends the story, and tells what files were warned of. */
  close(): void;
}

export interface ShowingFlags {
  readonly quiet?: boolean;
  readonly progress?: string;
  readonly eventsFd?: string;
  /** Warnings are told with the lines they are about. */
  readonly debug?: boolean;
  /** Why steps ran is told at the end. */
  readonly explain?: boolean;
}

/** What the picture is titled with, and where the files are that a story names. */
export interface Scene {
  /** The picture's first word. */
  readonly title: string;
  readonly sources?: Pick<SourceTexts, 'read' | 'path'>;
}

/** Starts to tell the story of a command as its flags say. */
export async function openShowing(flags: ShowingFlags, host: Host, scene: Scene): Promise<Showing> {
  const fd = descriptorOf(flags.eventsFd);
  const mode = modeOf(flags, host);
  const screen = screenOf(fd, host, scene);
  const reporter = await openReporter(mode, screen);
  const held = holdable(reporter);
  const later = keepWarnings(held.reporter, mode);
  const reasons = await keepReasons(later.reporter, { mode, wanted: flags.explain === true });
  const failure = watchFailure(reasons.reporter);
  return {
    mode,
    emit: emitTo(failure.reporter, host.now),
    failed: failure.failed,
    hold: held.hold,
    writeLine: (value) => host.write(fd, `${JSON.stringify(value)}\n`),
    close: () => {
      reporter.close();
      const warnings = later.warnings.splice(0);
      const columns = mode === 'tty' ? host.size().columns : undefined;
      const told = renderWarnings(warnings, flags.debug ? screen.read : undefined);
      host.write(fd, asText(reasons.text(columns) + told, host.env));
      if (isGitHub(host.env)) host.write(fd, annotateWarnings(warnings, pathsIn(host.env, scene.sources)));
    },
  };
}

function screenOf(fd: number, host: Host, { title, sources }: Scene): Screen {
  const epochMs = Date.now() - host.now();
  return {
    title,
    write: (text: string) => host.write(fd, text),
    size: host.size,
    onResize: host.onResize,
    colour: host.env.NO_COLOR === undefined || host.env.NO_COLOR === '',
    now: host.now,
    epochMs,
    marks: marksOf(host.env, () => epochMs + host.now()),
    read: sources?.read ?? (() => undefined),
  };
}

function modeOf(flags: ShowingFlags, host: Host): ProgressMode {
  const modes = ['auto', 'tty', 'plain', 'rawjson', 'quiet', 'none'] as const;
  const asked =
    flags.progress === undefined
      ? parseChoice('BUILDKIT_PROGRESS', host.env.BUILDKIT_PROGRESS || 'auto', modes)
      : parseChoice('--progress', flags.progress, modes);
  if (flags.eventsFd !== undefined) return 'events';
  if (flags.quiet || asked === 'none') return 'quiet';
  return chooseMode(asked, { isTerminal: host.isTerminal(2), term: host.env.TERM });
}

/** The descriptor of `--events-fd`, else stderr. Fails with `usage`. */
export function descriptorOf(text: string | undefined): number {
  if (text === undefined) return 2;
  if (!/^[1-9]\d{0,3}$/.test(text)) throw usageError(`--events-fd '${text}' is not a descriptor`);
  return Number(text);
}

/** Events that wait at most: what steps write beyond that is in their logs alone. */
const mostWaiting = 10_000;

/** What happens while a reporter is held is told afterwards. */
function holdable(reporter: Reporter): { readonly reporter: Reporter; readonly hold: Showing['hold'] } {
  let waiting: BuildEvent[] | undefined;
  const event = (event: BuildEvent): void => {
    if (waiting === undefined) reporter.event(event);
    else if (event.type !== 'step-log' || waiting.length < mostWaiting) waiting.push(event);
  };
  const hold = () => {
    const resume = reporter.rest?.();
    waiting = [];
    return () => {
      const late = waiting ?? [];
      waiting = undefined;
      for (const one of late) reporter.event(one);
      resume?.();
    };
  };
  return { reporter: { event, close: reporter.close }, hold };
}

/** Where people read, warnings of a file wait for the end; a program gets them as they come. */
function keepWarnings(
  reporter: Reporter,
  mode: ProgressMode,
): { readonly reporter: Reporter; readonly warnings: FileWarning[] } {
  const warnings: FileWarning[] = [];
  if (mode !== 'tty' && mode !== 'plain') return { reporter, warnings };
  const event = (event: BuildEvent): void => {
    if (isFileWarning(event)) warnings.push(event);
    else reporter.event(event);
  };
  return { reporter: { event, close: reporter.close }, warnings };
}

/** Why steps ran stands below the picture, where it is wanted; a program gets it as it comes. */
async function keepReasons(
  reporter: Reporter,
  { mode, wanted }: { readonly mode: ProgressMode; readonly wanted: boolean },
): Promise<{ readonly reporter: Reporter; readonly text: (columns?: number) => string }> {
  if (!wanted || (mode !== 'tty' && mode !== 'plain')) return { reporter, text: () => '' };
  const reasons = (await import('../report/explain.ts')).collectExplanations();
  const event = (event: BuildEvent): void => {
    reasons.event(event);
    reporter.event(event);
  };
  return { reporter: { event, close: reporter.close }, text: reasons.text };
}

/** A reporter that also remembers which step failed. */
function watchFailure(reporter: Reporter): {
  readonly reporter: Reporter;
  readonly failed: () => { readonly step?: string; readonly logFile?: string };
} {
  const names = new Map<string, string>();
  let failed: { readonly step?: string; readonly logFile?: string } = {};
  const watch = (event: BuildEvent): void => {
    if (event.type === 'step-start') names.set(event.step, event.name);
    if (event.type !== 'step-end' || event.outcome !== 'failed') return;
    const step = names.get(event.step);
    failed = { ...(step !== undefined && { step }), ...(event.log !== undefined && { logFile: event.log }) };
  };
  const event = (event: BuildEvent): void => {
    watch(event);
    reporter.event(event);
  };
  return { reporter: { event, close: reporter.close }, failed: () => failed };
}
