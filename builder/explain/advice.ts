import type { Change, Explanation } from '../../src/core/events.ts';
import { installOf } from './installs.ts';

/** A step that was compared, as far as it can be advised on. */
export interface Advised {
  /** All that it runs: of a heredoc the whole of it. */
  readonly command: string;
  readonly changes: readonly Change[];
  /** Of a step that copies from the build context: the ignore file that it goes by, or would go by. */
  readonly ignoreFile?: string;
  /** Its base image comes from a registry, where its name may mean another one tomorrow. */
  readonly pulled?: boolean;
  /** The step below that gave another layer, where that was explained, and the paths of the files that it took. */
  readonly cause?: {
    readonly text: string;
    readonly changes: readonly Change[];
    readonly paths: () => readonly string[];
  };
  /** What was told of the same step in the builds before, the last one first. */
  readonly before: () => readonly Explanation[];
}

/** What would keep the step in the cache the next time, in sentences. */
export function adviceFor(step: Advised): string[] {
  const rules = [
    ignored,
    manifestsFirst,
    installFirst,
    lateArgument,
    timedArgument,
    everyBuild,
    umask,
    pinned,
  ];
  return rules.flatMap((rule) => rule(step) ?? []);
}

/** What no image needs, and what changes without the sources. */
const IGNORABLE =
  /^(?:.*\/)?(\.git|\.hg|\.svn|node_modules|\.venv|__pycache__|\.pytest_cache|\.mypy_cache|\.idea|\.vscode|\.DS_Store|[^/]*\.tsbuildinfo|[^/]*\.py[co])(?:\/|$)/;

function ignored({ changes, ignoreFile }: Advised): string | undefined {
  if (ignoreFile === undefined) return undefined;
  const names = new Set(changes.filter(isOfFile).flatMap(({ name }) => IGNORABLE.exec(name)?.[1] ?? []));
  if (names.size === 0) return undefined;
  const what = names.has('.git')
    ? 'it changes with every commit and checkout'
    : 'it changes while the sources stay';
  return `Name ${listed([...names])} in ${ignoreFile}: ${what}, and no step needs it.`;
}

/** Sources are copied before what they depend on is installed. */
function manifestsFirst({ command, changes, cause }: Advised): string | undefined {
  const install = cause !== undefined && isBlamedOnCopy(changes, cause.text) ? installOf(command) : undefined;
  if (install?.manifests === undefined || cause === undefined) return undefined;
  const nameIn = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  const isManifest = (path: string) => install.manifests!.some((pattern) => pattern.test(nameIn(path)));
  if (cause.changes.length === 0 || cause.changes.some(({ name }) => isManifest(name))) return undefined;
  const paths = cause.paths();
  const found = install.manifests.flatMap((pattern) => paths.filter((path) => pattern.test(nameIn(path))));
  if (found.length === 0) return undefined;
  const own = found.length === 1 ? 'its' : 'their';
  return `Copy ${listed(found)} in a line of ${own} own before "${install.command}", and the other files after it: it then runs only when ${found.length === 1 ? 'that changes' : 'those change'}.`;
}

/** System packages are installed after files were copied. */
function installFirst({ command, changes, cause }: Advised): string | undefined {
  const install = cause !== undefined && isBlamedOnCopy(changes, cause.text) ? installOf(command) : undefined;
  if (cause === undefined || install === undefined || install.manifests !== undefined) return undefined;
  return `Put this step before "${cause.text}", unless it uses those files: then it stays in the cache when they change.`;
}

/** An ARG is seen by every RUN below it, whether or not that names it. */
function lateArgument({ command, changes }: Advised): string | undefined {
  const [change, ...others] = changes;
  if (change?.what !== 'build argument' || others.length > 0 || names(command, change.name)) return undefined;
  return `This step does not name ${change.name}: declare ARG ${change.name} below it, and the value no longer matters here.`;
}

/** A date, seconds or milliseconds since 1970, or the name of a commit. */
const TIMED = /^\d{4}-\d\d-\d\d(?:[T ].*)?$|^1\d{9}(?:\d{3})?$|^[0-9a-f]{40}$/;

function timedArgument({ command, changes }: Advised): string | undefined {
  const timed = changes.find(
    ({ what, name, before = '', after = '' }) =>
      what === 'build argument' && names(command, name) && TIMED.test(before) && TIMED.test(after),
  );
  if (timed === undefined) return undefined;
  return `${timed.name} is another one in every build: use it in the last step, or give it as a label with --label.`;
}

function everyBuild({ changes, before, ignoreFile }: Advised): string | undefined {
  const [change, ...others] = changes;
  if (ignoreFile === undefined || change === undefined || others.length > 0 || !isOfFile(change))
    return undefined;
  if (IGNORABLE.test(change.name)) return undefined;
  const earlier = before();
  const isThere = ({ changes }: Explanation) =>
    changes.some(({ name, what }) => name === change.name && what === change.what);
  if (earlier.length < 2 || !earlier.every(isThere)) return undefined;
  return `${change.name} has changed in each of the last ${earlier.length + 1} builds: copy it in a later step, or name it in ${ignoreFile}.`;
}

/** The bits that a umask takes. */
const SHARED_BITS = 0o022;

function umask({ changes, ignoreFile }: Advised): string | undefined {
  const isByUmask = ({ aspect, before = '', after = '' }: Change) =>
    aspect === 'mode' && ((Number.parseInt(before, 8) ^ Number.parseInt(after, 8)) & ~SHARED_BITS) === 0;
  if (ignoreFile === undefined || changes.length === 0 || !changes.every(isByUmask)) return undefined;
  return 'Only modes differ, as they do when a repository is checked out under another umask: set "umask 022" before, or give the modes with --chmod.';
}

function pinned({ changes, pulled }: Advised): string | undefined {
  const base = changes.find(({ what }) => what === 'base image');
  if (pulled !== true || base === undefined || base.name.includes('@') || !base.before?.startsWith('sha256:'))
    return undefined;
  return `${base.name} means another image now: --lock keeps what it means until you decide otherwise.`;
}

function isOfFile({ what }: Change): boolean {
  return what === 'file' || what === 'directory' || what === 'link';
}

function isBlamedOnCopy(changes: readonly Change[], cause: string): boolean {
  return changes.length === 1 && changes[0]!.what === 'layer below' && /^(COPY|ADD)\s/i.test(cause);
}

function names(command: string, variable: string): boolean {
  return new RegExp(`\\b${variable}\\b`).test(command);
}

/** `a`, `a and b`, `a, b and c`. */
function listed(words: readonly string[]): string {
  const shown = words.length > 4 ? [...words.slice(0, 3), 'the like'] : words;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
