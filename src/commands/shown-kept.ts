import type { Kept } from '../../cache/kept.ts';
import type { Builds, KeptBuild } from '../core/remembered.ts';
import { cleanName } from '../report/clean.ts';

/** A thing of the store as `du --verbose` shows it. */
export interface ShownKept extends Kept {
  /** What it is, in a few words. */
  readonly what: string;
  /** Why it is kept. */
  readonly why: string;
}

const order: readonly Kept['kind'][] = [
  'image',
  'base',
  'step',
  'records',
  'download',
  'mount',
  'contexts',
  'failure',
  'build',
  'work',
  'loose',
  'other',
];

/** Things with their reasons, by kind and the largest first. What made a layer is known from builds that are remembered. */
export function shownKept(things: readonly Kept[], builds: Builds): readonly ShownKept[] {
  const remembered = builds.list();
  const makers = makersOf(remembered, builds);
  const known = new Map(remembered.map((build) => [build.id, build]));
  const shown = things.map((thing): ShownKept => {
    const { what, why } = wordsFor(thing, { makers, known });
    return { ...thing, what: cleanName(what), why: cleanName(thing.inUse ? `${why}; in use` : why) };
  });
  return shown.sort(
    (a, b) =>
      order.indexOf(a.kind) - order.indexOf(b.kind) || b.bytes - a.bytes || (a.what < b.what ? -1 : 1),
  );
}

interface Knowledge {
  /** The step that last led to a layer, by diffId. */
  readonly makers: ReadonlyMap<string, Maker>;
  readonly known: ReadonlyMap<string, KeptBuild>;
}

interface Maker {
  readonly step: string;
  readonly file: string;
}

function makersOf(remembered: readonly KeptBuild[], builds: Builds): Map<string, Maker> {
  const makers = new Map<string, Maker>();
  for (const { id, file } of remembered) {
    const names = new Map<string, string>();
    for (const event of builds.events(id)) {
      if (event.type === 'step-start') names.set(event.step, event.name);
      if (event.type !== 'step-end' || event.diffId === undefined || makers.has(event.diffId)) continue;
      makers.set(event.diffId, { step: names.get(event.step) ?? event.step, file });
    }
  }
  return makers;
}

interface Words {
  readonly what: string;
  readonly why: string;
}

function wordsFor(thing: Kept, { makers, known }: Knowledge): Words {
  const { kind, name } = thing;
  if (kind === 'step') return stepWords(name, makers.get(name));
  if (kind === 'build') return buildWords(name, known.get(name));
  return fixedWords[kind](thing);
}

const fixedWords: Readonly<Record<Exclude<Kept['kind'], 'step' | 'build'>, (thing: Kept) => Words>> = {
  image: ({ name, id = '' }) =>
    name === ''
      ? { what: `image ${id.slice(7, 19)}`, why: 'it is one of the last without a name' }
      : { what: `image ${shortName(name)}`, why: 'it has a name' },
  base: ({ name, id = '' }) => ({
    what: `base ${shortName(name) || id.slice(7, 19)}`,
    why: 'builds took it for FROM; it goes where room is short',
  }),
  records: () => ({ what: 'steps of images', why: 'the cache knows that the images have their layers' }),
  download: ({ name }) => ({ what: `download ${name.slice(0, 12)}`, why: 'ADD fetched it' }),
  mount: ({ name }) => ({ what: `cache mount ${name}`, why: 'RUN --mount=type=cache names it' }),
  failure: ({ name }) => ({ what: `failed step of ${name}`, why: '`tsbuild debug` opens it' }),
  contexts: () => ({ what: 'digests of contexts', why: 'files that did not change are not read again' }),
  work: () => ({ what: 'work', why: 'commands that run made it' }),
  loose: () => ({ what: 'loose layers', why: 'nothing names them any more: `tsbuild prune` frees them' }),
  other: () => ({ what: 'names and facts', why: 'what is kept is found by them' }),
};

function stepWords(diffId: string, maker: Maker | undefined): Words {
  return maker === undefined
    ? { what: `step ${diffId.slice(7, 19)}`, why: 'the cache has it' }
    : { what: `step ${clipped(maker.step)}`, why: `the cache has it, for ${maker.file}` };
}

/** Steps may be scripts. */
function clipped(step: string): string {
  const line = step.replace(/\s+/g, ' ');
  return line.length <= 40 ? line : `${line.slice(0, 39)}…`;
}

function buildWords(id: string, build: KeptBuild | undefined): Words {
  const of = build?.names[0] ?? build?.file;
  return {
    what: `build ${id}`,
    why: of === undefined ? 'it is remembered' : `it is remembered: ${shortName(of)}`,
  };
}

function shortName(name: string): string {
  return name.replace(/^docker\.io\/(library\/)?/, '');
}
