import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { BuildEvent } from '../src/core/events.ts';
import { hideLogins } from '../src/core/logins.ts';
import type { Builds, KeptBuild, OpenBuild } from '../src/core/remembered.ts';
import type { Home } from './home.ts';
import { type Lock, tryLock } from './lock.ts';
import { discard, sweep } from './scratch.ts';

/** Builds that are remembered at most, and bytes that they may take up together. */
const most = { builds: 100, bytes: 500e6 };

/** Steps that failed, with what they wrote: for the newest builds alone. */
const mostFailed = 3;

/** The folder in a build's own for the step that failed. */
const FAILED = 'failed';

/** A build that keeps less than this is not weighed: a hundred of them stay far within the bound. */
const lightBytes = 1e6;

/** Remembers builds: a folder each, named by the time, whose `lock` is held while the build runs. */
export function openBuilds(home: Home): Builds {
  const root = join(home.root, 'builds', 'v1');
  const folder = (id: string): string => join(root, id);
  function* newest(): Iterable<KeptBuild> {
    for (const id of idsIn(root)) {
      const build = readBuild(home, folder(id));
      if (build !== undefined) yield build;
    }
  }
  const list = (): readonly KeptBuild[] => [...newest()];
  return {
    begin(texts) {
      const id = newId();
      return { id, ...remember(home, folder(id), texts) };
    },
    list,
    newest,
    find: (word) => chosen(list(), word),
    folder,
    events: (id) => linesOf(join(folder(id), 'events.jsonl')).flatMap(parsed),
    sources: (id) => home.readJson(join(folder(id), 'sources.json'), isTexts) ?? {},
  };
}

/** Sorted by time, and short enough to be typed: an end of it is enough. */
function newId(): string {
  const time = new Date()
    .toISOString()
    .replace(/[-:.Z]/g, '')
    .replace('T', '-');
  return `${time}-${randomBytes(3).toString('hex')}`;
}

/** Newest first. */
function idsIn(root: string): string[] {
  try {
    return readdirSync(root).sort().reverse();
  } catch {
    return [];
  }
}

function chosen(builds: readonly KeptBuild[], word: string | undefined): KeptBuild | undefined {
  if (word === undefined) return builds[0];
  const found = builds.filter(({ id }) => id.startsWith(word) || id.endsWith(word));
  return found.length === 1 ? found[0] : builds.find(({ id }) => id === word);
}

/** What is kept is written in few pieces: a cached build is over before the first would be due. */
function remember(home: Home, folder: string, texts: ReadonlyMap<string, string>): Omit<OpenBuild, 'id'> {
  let lock: Lock | undefined;
  guarded(() => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    lock = tryLock(join(folder, 'lock'), 'exclusive');
  })();
  let build: Partial<KeptBuild> = { outcome: 'running', steps: 0, cached: 0 };
  let pending = '';
  const keep = guarded(() => {
    appendFileSync(join(folder, 'events.jsonl'), pending, { mode: 0o600 });
    pending = '';
  });
  const note = guarded(() =>
    writeFileSync(join(folder, 'build.json'), JSON.stringify(build), { mode: 0o600 }),
  );
  const keepTexts = guarded(() => {
    // A file may hold an address with a login in it: what is remembered does not.
    const shown = [...texts].map(([file, text]) => [file, hideLogins(text)] as const);
    writeFileSync(join(folder, 'sources.json'), JSON.stringify(Object.fromEntries(shown)), { mode: 0o600 });
  });
  return {
    folder,
    event(event) {
      if (event.type === 'step-log') return;
      build = { ...build, ...learnt(event) };
      pending += `${JSON.stringify(event)}\n`;
      if (event.type === 'build-start') note();
      if (isWorthKeeping(event) || pending.length > 1 << 16) keep();
    },
    [Symbol.dispose]: () => {
      keep();
      note();
      keepTexts();
      lock?.release();
      guarded(() => trim(home, folder))();
    },
  };
}

/** What is remembered of a build must not be what fails it: on a full disk it is less. */
function guarded(task: () => void): () => void {
  return () => {
    try {
      task();
    } catch {}
  };
}

/** A step that did work may be the last that is heard of the build. */
function isWorthKeeping(event: BuildEvent): boolean {
  return event.type === 'step-end' && event.outcome !== 'cached';
}

/** What an event says of its build as a whole. */
function learnt(event: BuildEvent): Partial<KeptBuild> {
  if (event.type === 'build-start') {
    const { id, started, context, file, names, target } = event;
    return { id, started, context, file, names, ...(target !== undefined && { target }) };
  }
  if (event.type !== 'build-end') return {};
  const { outcome, error, image, steps, cached, at } = event;
  return { outcome, steps, cached, tookMs: at, ...(error && { error }), ...(image && { image }) };
}

function readBuild(home: Home, folder: string): KeptBuild | undefined {
  const build = home.readJson(join(folder, 'build.json'), isBuild);
  if (build === undefined || build.outcome !== 'running' || isHeld(folder)) return build;
  return { ...build, outcome: 'interrupted' };
}

/** Whether the process of the build lives; nothing is made where it does not. */
function isHeld(folder: string): boolean {
  const file = join(folder, 'lock');
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return false;
  const lock: Lock | undefined = tryLock(file, 'shared');
  lock?.release();
  return lock === undefined;
}

function isBuild(value: unknown): value is KeptBuild {
  const { id, started, names, outcome } = (value ?? {}) as Partial<KeptBuild>;
  return [id, started, outcome].every((text) => typeof text === 'string') && Array.isArray(names);
}

function isTexts(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((text) => typeof text === 'string')
  );
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** A line that a killed build left half written is none. */
function parsed(line: string): BuildEvent[] {
  try {
    return line === '' ? [] : [JSON.parse(line) as BuildEvent];
  } catch {
    return [];
  }
}

/** Forgets the oldest builds beyond the bound, and never one that runs. */
function trim(home: Home, latest: string): void {
  const root = dirname(latest);
  const ids = idsIn(root);
  const tooMany = ids.slice(most.builds);
  const away = bytesIn(latest) < lightBytes ? tooMany : [...tooMany, ...beyondBytes(root, ids)];
  const ended = [...new Set(away)].filter((id) => !isHeld(join(root, id)));
  for (const id of ended) discard(home.tmp, join(root, id));
  const failed = existsSync(failedIn(latest)) ? ids.map((id) => failedIn(join(root, id))) : [];
  const old = failed.filter((folder) => existsSync(folder)).slice(mostFailed);
  for (const folder of old) discard(home.tmp, folder);
  if (ended.length + old.length > 0) sweep(home.tmp, (task) => home.gate('exclusive', task));
}

function failedIn(folder: string): string {
  return join(folder, FAILED);
}

/** The newest build always stays. */
function beyondBytes(root: string, ids: readonly string[]): string[] {
  let sum = 0;
  return ids.filter((id, i) => {
    sum += bytesIn(join(root, id));
    return i > 0 && sum > most.bytes;
  });
}

/** Without the step that failed, which has a bound of its own. */
function bytesIn(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => name !== FAILED);
  const sizes = entries.map((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? bytesIn(path) : (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0);
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}
