import { clampEpoch } from '../src/core/clamp-epoch.ts';
import type { BuildOptions } from '../src/core/options.ts';
import { normalizePlatform } from '../src/core/platform.ts';
import type {
  ContainerConfig,
  HistoryEntry,
  Image,
  ImageConfig,
  Layer,
  Platform,
} from '../src/core/types.ts';
import { encodeConfig } from '../src/oci/config.ts';
import type { Taken } from './remember.ts';
import type { BuiltStage } from './state.ts';
import type { Tools } from './tools.ts';

/**
 * The finished image of a stage. A platform that was asked for stands in it, whatever its base said. With
 * SOURCE_DATE_EPOCH the times of layers that this build made are clamped to it, as a conversion of finished layers, and
 * the configuration's own times are set to it; what came with the base stays as it was.
 */
export async function assemble(
  { state }: BuiltStage,
  tools: Tools,
  target: Platform | undefined,
): Promise<Image> {
  const { snapshot, taken } = state.candidates[0]!;
  const { sourceDateEpoch: epoch } = tools.options;
  const created = taken.map(({ result }) => result.created);
  const layers = await clampNew(snapshot.layers, taken, tools);
  const fixed = epoch === undefined ? undefined : wholeSecond(epoch);
  const history = datedHistory(snapshot.config.history ?? [], {
    inherited: state.inherited,
    created: fixed === undefined ? created : created.map(() => fixed),
    otherwise: fixed ?? state.inheritedCreated,
  });
  const platform = platformOf(snapshot.config, target);
  const { variant: _, ...rest } = snapshot.config;
  const config = {
    ...{ ...rest, ...platform },
    ...configWith(snapshot.config, tools.options),
    ...timesOf(history, layers),
  };
  return { config: encodeConfig(config as ImageConfig), layers, platform };
}

/** The base's variant says more than a platform without one. */
function platformOf(base: ImageConfig, target: Platform | undefined): Platform {
  if (target === undefined) return normalizePlatform(base);
  const isSame = target.os === base.os && target.architecture === base.architecture;
  const variant = target.variant ?? (isSame ? base.variant : undefined);
  return normalizePlatform({ ...target, ...(variant !== undefined && { variant }) });
}

/** Clamps the last layers: those this build added. One that a cache source knows clamped need not be had for it. */
async function clampNew(
  layers: readonly Layer[],
  taken: readonly Taken[],
  { options, store }: Tools,
): Promise<readonly Layer[]> {
  const epoch = clampEpoch(options);
  if (epoch === undefined || taken.length === 0) return layers;
  const clamped = taken.map(async ({ result: { layer, clamped } }) =>
    clamped?.epoch === epoch && !store.layers.isAtHand(layer)
      ? clamped.layer
      : store.layers.clamp(layer, epoch),
  );
  return [...layers.slice(0, -taken.length), ...(await Promise.all(clamped))];
}

interface Times {
  readonly inherited: number;
  /** Times of the new layers, oldest first. */
  readonly created: readonly string[];
  /**
   * For lines of a build that added no layer. Where nothing is known they carry no time, so that the same build
   * gives the same image.
   */
  readonly otherwise: string | undefined;
}

/**
 * Gives each line of our own its time: a layer its own, any other line that of the layer before it, and before the
 * first layer that of the first. Lines of the base stay verbatim.
 */
function datedHistory(
  history: readonly HistoryEntry[],
  { inherited, created, otherwise }: Times,
): HistoryEntry[] {
  let next = 0;
  let now = created[0] ?? otherwise;
  const own = history.slice(inherited).map((entry) => {
    if (entry.empty_layer !== true) now = created[next++] ?? now;
    return now === undefined ? entry : { created: now, ...entry };
  });
  return [...history.slice(0, inherited), ...own];
}

/** `--label` and `--unsetenv` come last and leave no line of history. */
function configWith(
  { config = {} }: ImageConfig,
  { labels, unsetEnv = [] }: Pick<BuildOptions, 'labels' | 'unsetEnv'>,
): { config?: ContainerConfig } {
  const { Env = [], ...others } = config;
  const env = Env.filter((line) => !unsetEnv.includes(line.split('=', 1)[0]!));
  if (Object.keys(labels).length === 0 && env.length === Env.length) return {};
  const changed = { ...(env.length > 0 && { Env: env }), ...others };
  if (Object.keys(labels).length === 0) return { config: changed };
  return { config: { ...changed, Labels: { ...config.Labels, ...labels } } };
}

function timesOf(history: readonly HistoryEntry[], layers: readonly Layer[]): Partial<ImageConfig> {
  const created = history.at(-1)?.created;
  return {
    ...(created !== undefined && { created }),
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history,
  };
}

/** A time as the reference writes one without a fraction: `2023-11-14T22:13:20Z`. */
function wholeSecond(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().replace('.000Z', 'Z');
}
