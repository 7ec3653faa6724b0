import type { Digest } from '../../src/core/digest.ts';
import type { Change, Explanation } from '../../src/core/events.ts';
import type { KeptIngredients } from '../../src/core/ingredients.ts';
import type { Builds, KeptBuild } from '../../src/core/remembered.ts';
import type { MissedStep } from '../missed-step.ts';
import { filesIn } from '../steps/file-list.ts';
import { type Advised, adviceFor } from './advice.ts';
import { changesBetween } from './changes.ts';
import { type PastStage, type PastStep, pastStages, textIn } from './past-builds.ts';
import { commandText } from './run-changes.ts';
import { sameStep } from './same-step.ts';

/** Builds of the same file that are looked through for a step, the last one first. */
const MOST_BUILDS = 10;

/** Changes that are told of; the others are counted. */
const MOST_CHANGES = 50;

/** Characters of a value that are kept. */
const MOST_CHARACTERS = 1000;

interface PastBuild {
  readonly id: string;
  readonly at: string;
  readonly stages: readonly PastStage[];
}

interface Found {
  readonly build: PastBuild;
  readonly step: PastStep;
}

/** What the explaining is for. */
interface Present {
  /** Id of the build. */
  readonly build: string;
  /** Steps that others have made were looked for too (`--cache-from`). */
  readonly shares: boolean;
}

/** Says why steps of a build were not found in the cache, by the last builds of the same file from the same context. */
export class Explainer {
  readonly #builds: Builds;
  readonly #ingredients: KeptIngredients;
  readonly #present: Present;
  readonly #past: PastBuild[] = [];
  readonly #left: Iterator<KeptBuild>;
  /** What was explained of this build, by the names of the steps. */
  readonly #told = new Map<string, { readonly key: Digest; readonly changes: readonly Change[] }>();

  constructor(builds: Builds, ingredients: KeptIngredients, present: Present) {
    this.#builds = builds;
    this.#ingredients = ingredients;
    this.#present = present;
    this.#left = buildsBefore(present.build, builds);
  }

  /** Undefined where it cannot be told; never throws. */
  explain(step: MissedStep): Explanation | undefined {
    try {
      const reason = this.#reasonOf(step);
      const { changes } = reason;
      this.#told.set(step.name, { key: step.key, changes });
      return { ...reason, advice: this.#adviceFor(step, changes) };
    } catch {
      return undefined;
    }
  }

  #reasonOf(step: MissedStep): Omit<Explanation, 'advice'> {
    if (step.asked) return { reason: 'asked', changes: [] };
    const found = this.#counterpart(step);
    const prunedAt = this.#prunedAt(step, found?.step);
    if (prunedAt !== undefined) return { reason: 'pruned', prunedAt, changes: [] };
    if (found === undefined) return { reason: this.#present.shares ? 'not-shared' : 'new', changes: [] };
    const { build, step: past } = found;
    const compared = { with: { build: build.id, at: build.at } };
    if (isSame(past, step)) return { reason: reasonOfSame(past), ...compared, changes: [] };
    const [before, after] = [past, step].map(({ key }) => this.#ingredients.find(key));
    if (before === undefined || after === undefined) return { reason: 'changed', ...compared, changes: [] };
    const changes = changesBetween(before, after, (digest) => this.#ingredients.list(digest));
    const more = changes.length - MOST_CHANGES;
    return {
      reason: 'changed',
      ...compared,
      changes: changes.slice(0, MOST_CHANGES).map(shortened),
      ...(more > 0 && { more }),
    };
  }

  /** When its result went, or the layer that an equal step once made. */
  #prunedAt(step: MissedStep, past: PastStep | undefined): string | undefined {
    const layer = past !== undefined && isSame(past, step) ? past.diffId : undefined;
    const names = [step.key, step.contentKey, layer].filter((name) => name !== undefined);
    return names.map((name) => this.#ingredients.prunedAt(name)).find((at) => at !== undefined);
  }

  #counterpart(step: MissedStep): Found | undefined {
    for (let i = 0; i < MOST_BUILDS; i++) {
      const build = this.#build(i);
      if (build === undefined) return undefined;
      const past = sameStep(build.stages, step);
      if (past !== undefined) return { build, step: past };
    }
    return undefined;
  }

  /** The build before this one, the one before that, and so on; each is read once. */
  #build(i: number): PastBuild | undefined {
    if (i < this.#past.length) return this.#past[i];
    const { value } = this.#left.next() as { value?: KeptBuild };
    if (value === undefined) return undefined;
    const { id, started } = value;
    this.#past.push({ id, at: started, stages: pastStages(this.#builds.events(id)) });
    return this.#past[i];
  }

  #adviceFor(step: MissedStep, changes: readonly Change[]): string[] {
    const ingredients = changes.length === 0 ? undefined : this.#ingredients.find(step.key);
    if (ingredients === undefined) return [];
    const { base, facts } = ingredients;
    const isOfContext = facts.sources !== undefined && facts.from === undefined;
    const cause = this.#causeOf(changes);
    return adviceFor({
      command: commandText(ingredients),
      changes,
      pulled: base?.digest !== undefined,
      ...(isOfContext && { ignoreFile: facts.ignore?.name ?? '.dockerignore' }),
      ...(cause && { cause }),
      before: () => this.#reasonsBefore(step),
    });
  }

  /** The step below that is to blame, where it was explained too. */
  #causeOf(changes: readonly Change[]): Advised['cause'] {
    const below = changes.find(({ what }) => what === 'layer below');
    const told = below === undefined ? undefined : this.#told.get(below.name);
    if (below === undefined || told === undefined) return undefined;
    return { text: textIn(below.name), changes: told.changes, paths: () => this.#pathsOf(told.key) };
  }

  /** The files that a step took. */
  #pathsOf(key: Digest): string[] {
    const { tops = {} } = this.#ingredients.find(key) ?? {};
    return Object.entries(tops).flatMap(([files, tops]) => {
      const text = this.#ingredients.list(files as Digest);
      return text === undefined ? [] : filesIn({ text, tops }).map(({ path }) => path);
    });
  }

  #reasonsBefore(step: MissedStep): Explanation[] {
    const builds = [this.#build(0), this.#build(1)].filter((build) => build !== undefined);
    return builds.flatMap((build) => sameStep(build.stages, step)?.explanation ?? []);
  }
}

function shortened(change: Change): Change {
  const short = (value: string | undefined): string | undefined =>
    value !== undefined && value.length > MOST_CHARACTERS ? `${value.slice(0, MOST_CHARACTERS)}…` : value;
  const [before, after] = [short(change.before), short(change.after)];
  return { ...change, ...(before !== undefined && { before }), ...(after !== undefined && { after }) };
}

/** Builds of the same file from the same context, the last one first. */
function* buildsBefore(id: string, builds: Builds): Generator<KeptBuild, undefined> {
  let own: KeptBuild | undefined;
  for (const build of builds.newest()) {
    if (build.id === id) own = build;
    else if (own !== undefined && isOfSame(build, own)) yield build;
  }
}

function isOfSame(build: KeptBuild, { context, file }: KeptBuild): boolean {
  return build.context === context && build.file === file && build.outcome !== 'running';
}

/** The same ingredients, though the first key may name what was read by other layers. */
function isSame(past: PastStep, { key, contentKey }: MissedStep): boolean {
  return past.key === key || (contentKey !== undefined && past.contentKey === contentKey);
}

function reasonOfSame({ outcome }: PastStep): Explanation['reason'] {
  return outcome === 'failed' || outcome === 'cancelled' ? 'failed' : 'pruned';
}
