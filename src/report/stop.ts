import type { SourceRange } from '../core/errors.ts';
import { cleanLine } from './clean.ts';
import { clip } from './width.ts';

/** A place at which a build has stopped. */
export interface StopPlace {
  /** The step as people read it. */
  readonly name: string;
  readonly location: SourceRange;
  /** How its command ended; absent where the build has stopped before it. */
  readonly failure?: { readonly exitCode: number };
  readonly user: string;
  readonly workdir: string;
}

/** What somebody reads who finds a shell where a build has stopped. `refused`: why it cannot go on with what failed. */
export function renderStop(stop: StopPlace, refused: string | undefined): string {
  if (stop.failure === undefined)
    return framed([
      headOf('stopped before', stop),
      whereOf(stop),
      'what is changed here is dropped',
      ...atBreak,
    ]);
  return framed([...failureOf(stop, stop.failure.exitCode), ...atFailure(refused)]);
}

/** A step that failed some time ago. */
export interface KeptPlace extends StopPlace {
  readonly failure: { readonly exitCode: number };
  readonly build: string;
  /** Secrets and agents that it asked for, and that are not there now. */
  readonly absent: readonly { readonly type: 'secret' | 'ssh'; readonly id: string }[];
}

/** What somebody reads who finds a shell where a step failed. */
export function renderKept(stop: KeptPlace): string {
  const { failure, build, absent } = stop;
  const missing = absent.map(({ type, id }) =>
    type === 'secret'
      ? `not there: the secret "${oneLine(id)}" (--secret id=${oneLine(id)},src=FILE)`
      : `not there: the ssh agent "${oneLine(id)}" (--ssh ${oneLine(id)})`,
  );
  const about = [`build ${build}`, 'what is changed here is dropped, and exit leaves'];
  return framed([...failureOf(stop, failure.exitCode), ...about, ...missing]);
}

function framed(lines: readonly string[]): string {
  return `\n${lines.map((line) => `| ${line}\n`).join('')}\n`;
}

function failureOf(stop: StopPlace, exitCode: number): string[] {
  return [
    headOf(`failed with exit code ${exitCode}:`, stop),
    whereOf(stop),
    'the files are as the command left them',
  ];
}

/** A command may be a page long: its beginning says which one it is, and the place below where the rest stands. */
function headOf(what: string, { name }: StopPlace): string {
  return clip(`${what} ${oneLine(name)}`, LINE_COLUMNS);
}

/** With the frame, a line of a usual terminal. */
const LINE_COLUMNS = 78;

function whereOf({ location, user, workdir }: StopPlace): string {
  const place = `${oneLine(location.file)}:${location.startLine}`;
  return `${place}, user ${oneLine(user) || 'root'}, folder ${oneLine(workdir)}`;
}

function oneLine(text: string): string {
  return cleanLine(text.replaceAll('\n', ' '));
}

const quit = '  quit      end the build';
const atBreak = ['  continue  go on', quit];

function atFailure(refused: string | undefined): string[] {
  const goOn = refused === undefined ? ['  continue  go on with the files as they are here; not cached'] : [];
  return ['  retry     run the command again, on the files that were there before it', ...goOn, quit];
}
