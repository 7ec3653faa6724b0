import { hideLogins } from '../../src/core/logins.ts';
import type {
  ContainerConfig,
  Healthcheck,
  HistoryEntry,
  ImageConfig,
  Snapshot,
} from '../../src/core/types.ts';

/**
 * The image's configuration with some container settings replaced. One that becomes `undefined` or empty goes, as in
 * the reference's configurations: `CMD []` leaves no Cmd.
 */
export function withSettings(
  snapshot: Snapshot,
  settings: { readonly [Name in keyof ContainerConfig]?: ContainerConfig[Name] | undefined },
): Snapshot {
  const merged = Object.entries({ ...snapshot.config.config, ...settings }).filter(
    ([name, value]) => !(Object.hasOwn(settings, name) && isEmpty(value)),
  );
  return withConfig(snapshot, { config: Object.fromEntries(merged) as ContainerConfig });
}

/** The snapshot with some fields of its configuration replaced. */
export function withConfig(snapshot: Snapshot, fields: Partial<ImageConfig>): Snapshot {
  return { ...snapshot, config: { ...snapshot.config, ...fields } as ImageConfig };
}

/**
 * The snapshot with one more line of history; its time is filled in when the image is assembled. Logins of addresses
 * are left out: whoever is given the image is not given them.
 */
export function withHistory(snapshot: Snapshot, createdBy: string, emptyLayer: boolean): Snapshot {
  const entry: HistoryEntry = {
    created_by: hideLogins(createdBy),
    comment: 'buildkit.dockerfile.v0',
    ...(emptyLayer && { empty_layer: true }),
  };
  return withConfig(snapshot, { history: [...(snapshot.config.history ?? []), entry] });
}

/** The snapshot with another comment at its last line of history. */
export function withComment(snapshot: Snapshot, comment: string): Snapshot {
  const history = snapshot.config.history ?? [];
  const last = history.slice(-1).map((entry) => ({ ...entry, comment }));
  return withConfig(snapshot, { history: [...history.slice(0, -1), ...last] });
}

/** Adds keys to one of the sets that the configuration writes as `{"key": {}}` (ports, volumes). */
export function addKeys(
  present: Readonly<Record<string, object>> | undefined,
  keys: readonly string[],
): Record<string, object> {
  const all = [...new Set([...Object.keys(present ?? {}), ...keys])];
  return Object.fromEntries(all.map((key) => [key, {}]));
}

/** A HEALTHCHECK's fields as the configuration holds them: what was left out or is zero stays out. */
export function healthcheckOf(test: readonly string[], times: Omit<Healthcheck, 'Test'>): Healthcheck {
  const given = Object.entries(times).filter(([, value]) => value !== undefined && value !== 0);
  return { Test: test, ...Object.fromEntries(given) };
}

/** The container settings so far. */
export function settingsOf(snapshot: Snapshot): ContainerConfig {
  return snapshot.config.config ?? {};
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
