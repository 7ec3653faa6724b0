import { basename } from 'node:path';
import { baseImages } from '../../builder/base-image.ts';
import type { IgnoreFile } from '../../builder/context/ignore.ts';
import type { Remotes } from '../../builder/context/remotes.ts';
import type { Confines } from '../../builder/sandbox/confines.ts';
import type { Engine } from '../../builder/sandbox/plan.ts';
import { RootForms } from '../../builder/steps/root-form.ts';
import type { Tools } from '../../builder/tools.ts';
import type { Parts } from '../commands/wiring.ts';
import { gate } from '../core/gates.ts';
import { once } from '../core/once.ts';
import type { BuildOptions } from '../core/options.ts';
import type { Place } from '../core/place.ts';
import { timed } from '../core/spans.ts';
import type { SharedResults } from '../core/store.ts';
import type { Reference } from '../oci/reference.ts';
import type { Input } from './input.ts';
import type { Materials } from './materials.ts';
import { namedContexts } from './named-contexts.ts';
import type { Others } from './others.ts';
import type { Pins } from './pins.ts';
import { secretValue } from './secret-value.ts';

interface Surroundings {
  readonly input: Pick<Input, 'context' | 'ignore'>;
  readonly remotes: Remotes;
  readonly parts: Parts;
  readonly place: Place;
  readonly confines: Confines;
  readonly pins: Pins | undefined;
  readonly materials: Materials;
  /** Folder for the logs of its steps. */
  readonly logs: string;
  readonly others: Others | undefined;
}

/** What the steps of this build may use. */
export function openTools(
  options: BuildOptions,
  { input, remotes, parts, place, confines, pins, materials, logs, others }: Surroundings,
): Tools {
  const { store, registry } = parts;
  const { emit, signal } = options;
  const meaning = (name: string) => registry.meaning(name);
  const asking = <T>(ask: () => Promise<T>): Promise<T> => timed(emit, 'transfer', ask);
  const find = baseImages(store, options.pull, {
    meaning,
    resolve: async (reference, platform) =>
      (await asking(() => registry.resolve(reference, platform, signal))).image,
  });
  const shared = once(() => sharedBy(options, parts));
  // What it tells is wanted by the first step, while the base is still being asked for.
  if (options.cacheFrom.length > 0 && options.noCache !== true) shared().catch(() => {});
  const digest = (reference: Reference) => asking(() => registry.digest(reference, signal));
  const ask = { meaning, digest };
  const explainer = once(async () => {
    const { Explainer } = await import('../../builder/explain/explainer.ts');
    const shares = options.cacheFrom.length > 0;
    return new Explainer(store.builds, store.ingredients, { build: basename(logs), shares });
  });
  const image = materials.images(pins === undefined ? find : pins.images(find, ask));
  return {
    store,
    options,
    place,
    confines,
    emit,
    signal,
    context: input.context,
    ...(input.ignore && { ignore: knownIgnore(input.ignore) }),
    gate: gate(options.jobs),
    engine: once(() => chooseEngine(options, place)),
    rootForms: new RootForms(store.root, (text) => emit({ type: 'note', level: 'info', text })),
    made: new Map(),
    shared,
    cacheMounts: new Set(),
    image,
    explain: async (step) => (await explainer()).explain(step),
    contexts: namedContexts(options.contexts, {
      ...{ store, remotes, image, others },
      onLayout: (folder, manifest) => materials.layout(folder, manifest),
    }),
    remotes,
    secret: (id) => secretValue(id, options.secrets),
    ssh: async (id) => (await import('./ssh-source.ts')).sshAgent(id, options.ssh),
    logs,
    ...others?.tools,
  };
}

/** By its name alone: a build that lies elsewhere is explained alike. */
function knownIgnore({ path, text }: IgnoreFile): Tools['ignore'] {
  return { name: basename(path), text };
}

/** What reads caches is loaded only where there are sources. */
async function sharedBy(options: BuildOptions, parts: Parts): Promise<SharedResults> {
  if (options.cacheFrom.length === 0) return { find: () => [], mount: () => undefined };
  return await (await import('./open-caches.ts')).readSources(options, parts);
}

/** The engine is loaded only when a step has to run. */
async function chooseEngine({ runtime, emit }: BuildOptions, place: Place): Promise<Engine> {
  const { chooseEngine } = await import('../../builder/sandbox/choose.ts');
  const { engine, sentence, warning } = await chooseEngine(place, runtime);
  emit({ type: 'note', level: 'info', text: sentence });
  if (warning !== undefined) emit({ type: 'note', level: 'warning', text: warning });
  return engine;
}
