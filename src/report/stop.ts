import type { SourceRange } from '../core/errors.ts';
import { cleanLine } from './clean.ts';

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
  const { location, failure, user, workdir } = stop;
  const name = cleanLine(stop.name.replaceAll('\n', ' '));
  const where = `${cleanLine(location.file)}:${location.startLine}`;
  const who = `user ${cleanLine(user) || 'root'}, folder ${cleanLine(workdir)}`;
  const lines =
    failure === undefined
      ? [`stopped before ${name}`, `${where}, ${who}; what is changed here is dropped`, ...atBreak]
      : [
          `failed with exit code ${failure.exitCode}: ${name}`,
          `${where}, ${who}; the files are as the command left them`,
          ...atFailure(refused),
        ];
  return `\n${lines.map((line) => `| ${line}\n`).join('')}\n`;
}

const quit = '  quit      end the build';
const atBreak = ['  continue  go on', quit];

function atFailure(refused: string | undefined): string[] {
  const goOn = refused === undefined ? ['  continue  go on with the files as they are here; not cached'] : [];
  return ['  retry     run the command again, on the files that were there before it', ...goOn, quit];
}
