import { canBeHad } from '../../builder/remember.ts';
import type { Tools } from '../../builder/tools.ts';
import { exportCache } from '../../cache/remote/export.ts';
import type { Parts } from '../commands/wiring.ts';
import { clampEpoch } from '../core/clamp-epoch.ts';
import { hexOf } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { CacheTarget } from '../core/options.ts';
import { timed } from '../core/spans.ts';
import type { Layer } from '../core/types.ts';
import { nameOf, openPlace, wayOf } from './open-caches.ts';
import { type BuiltImage, stepsOf, targetSteps } from './taken-steps.ts';

type PlacedTarget = Exclude<CacheTarget, { readonly site: { readonly type: 'inline' } }>;

/** Puts what a build knows of its steps to every place that `--cache-to` names, one after the other. */
export async function shareCaches(built: readonly BuiltImage[], tools: Tools, parts: Parts): Promise<void> {
  for (const target of tools.options.cacheTo) {
    if (!('mode' in target)) continue;
    try {
      await using place = openPlace(target.site, parts);
      await timed(tools.emit, 'push', () => share(built, target, { tools, place }));
    } catch (error) {
      if (!(error instanceof BuildError) || tools.signal.aborted) throw error;
      if (!target.ignoreError) throw failed(nameOf(target.site), error);
      const text = `the cache was not exported to ${nameOf(target.site)}: ${error.message}`;
      tools.emit({ type: 'note', level: 'warning', text });
    }
  }
}

async function share(
  built: readonly BuiltImage[],
  { site, mode, mounts: wanted, compression }: PlacedTarget,
  { tools, place }: { readonly tools: Tools; readonly place: ReturnType<typeof openPlace> },
): Promise<void> {
  const { emit, options, signal, store } = tools;
  const epoch = clampEpoch(options);
  const steps = built.flatMap((one) => stepsOf(one, epoch));
  const shared = mode === 'max' ? steps : built.flatMap((one) => targetSteps(one, epoch));
  const layers = shared.flatMap(({ result: { layer, clamped } }) =>
    clamped === undefined ? [layer] : [layer, clamped.layer],
  );
  const mounts = await mountsFor(wanted, tools);
  const kept = [...layers, ...mounts.values()].filter((layer) => canBeHad(layer, tools));
  const content = { steps, mounts };
  await exportCache(content, kept, place, {
    layers: store.layers,
    compression: compression ?? 'any',
    signal,
    progress: ({ digest, size }, done, state) => {
      const id = `cache ${place.name} ${digest}`;
      const name = `exporting the cache: ${hexOf(digest).slice(0, 12)}`;
      emit({ type: 'transfer', id, name, done, total: size, state, ...wayOf(site, 'out') });
    },
  });
}

/** What the wanted cache mounts hold here; of those that are not here, what the sources of this build had. */
async function mountsFor(
  wanted: PlacedTarget['mounts'],
  { cacheMounts, shared, signal, store }: Tools,
): Promise<Map<string, Layer>> {
  const held = new Map<string, Layer>();
  for (const id of wanted === 'all' ? cacheMounts : wanted) {
    const layer = (await store.mounts.pack(id, signal)) ?? (await shared()).mount(id);
    if (layer !== undefined) held.set(id, layer);
  }
  return held;
}

function failed(name: string, error: BuildError): BuildError {
  const { code, hint } = error;
  const message = `the cache could not be exported to ${name}: ${error.message}`;
  return new BuildError(code, message, { cause: error, ...(hint !== undefined && { hint }) });
}
