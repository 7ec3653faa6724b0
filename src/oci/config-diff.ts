import type { Change } from '../core/events.ts';
import type { HistoryEntry, ImageConfig } from '../core/types.ts';
import { ofThisImageAlone } from './config.ts';

export interface ConfigDiffOptions {
  /** Whether the time at which the image was made counts. */
  readonly times: boolean;
}

/**
 * What differs between two configurations, setting by setting: variables, labels, ports and volumes by their names, all
 * else by the field. Layers and history are left out.
 */
export function configChanges(a: ImageConfig, b: ImageConfig, options: ConfigDiffOptions): readonly Change[] {
  const [before, after] = [settingsOf(a, options), settingsOf(b, options)];
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  return keys.flatMap((key) => changeOf(before.get(key), after.get(key)));
}

/** The steps of one history that are not in the other, what both begin and end with apart. */
export function historyChanges(
  a: readonly HistoryEntry[],
  b: readonly HistoryEntry[],
): { readonly removed: readonly HistoryEntry[]; readonly added: readonly HistoryEntry[] } {
  const shorter = Math.min(a.length, b.length);
  let first = 0;
  while (first < shorter && isSameStep(a[first]!, b[first]!)) first++;
  let last = 0;
  while (last < shorter - first && isSameStep(a.at(-1 - last)!, b.at(-1 - last)!)) last++;
  return { removed: a.slice(first, a.length - last), added: b.slice(first, b.length - last) };
}

interface Setting {
  readonly what: string;
  readonly name: string;
  /** Empty for what is only there or not. */
  readonly value: string;
}

/** Told elsewhere, or no setting. */
const skipped = new Set(['config', 'rootfs', 'history', ...ofThisImageAlone]);

function settingsOf(image: ImageConfig, { times }: ConfigDiffOptions): Map<string, Setting> {
  const { Env = [], Labels = {}, ExposedPorts = {}, Volumes = {}, ...fields } = image.config ?? {};
  const own = Object.entries(image).filter(([name]) => !skipped.has(name) && (times || name !== 'created'));
  const settings: readonly Setting[] = [
    ...own.map(([name, value]) => ({ what: 'image', name, value: textOf(value) })),
    ...Env.map(variable),
    ...Object.entries(Labels).map(([name, value]) => ({ what: 'label', name, value })),
    ...Object.keys(ExposedPorts).map((name) => ({ what: 'port', name, value: '' })),
    ...Object.keys(Volumes).map((name) => ({ what: 'volume', name, value: '' })),
    ...Object.entries(fields).map(([name, value]) => ({ what: 'setting', name, value: textOf(value) })),
  ];
  const isThere = ({ what, value }: Setting): boolean => what !== 'setting' || !empty.has(value);
  return new Map(settings.filter(isThere).map((one) => [JSON.stringify([one.what, one.name]), one]));
}

/** A field that is there and empty means the same as none. */
const empty = new Set(['', '[]', '{}', 'null']);

function variable(text: string): Setting {
  const [name = '', ...value] = text.split('=');
  return { what: 'variable', name, value: value.join('=') };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function changeOf(before: Setting | undefined, after: Setting | undefined): Change[] {
  if (before?.value === after?.value) return [];
  const { what, name } = (before ?? after)!;
  const values = {
    ...(before && before.value !== '' && { before: before.value }),
    ...(after && after.value !== '' && { after: after.value }),
  };
  const how = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return [{ what, name, how, ...values }];
}

function isSameStep(a: HistoryEntry, b: HistoryEntry): boolean {
  return (
    a.created_by === b.created_by &&
    a.comment === b.comment &&
    (a.empty_layer === true) === (b.empty_layer === true)
  );
}
