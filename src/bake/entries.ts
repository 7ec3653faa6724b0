import { csvFields } from '../core/csv.ts';
import { BuildError } from '../core/errors.ts';
import type { Entry, Settings } from './settings.ts';

/** Attributes whose values are lists of fields. */
export type EntryAttribute = 'attest' | 'cache-from' | 'cache-to' | 'secret' | 'ssh' | 'output';

/**
 * A value as it is written (`type=registry,ref=NAME`, or the short forms of the flag that it stands for), taken apart.
 * Empty for an empty word. Fails with `parse`.
 */
export function parseEntry(attribute: EntryAttribute, text: string): readonly Entry[] {
  if (text === '') return [];
  if (attribute === 'ssh') return [agent(text)];
  const fields = csvFields(text);
  if (fields === undefined) throw new BuildError('parse', `'${text}' has a quote that does not end`);
  const bare = fields.every((field) => !field.includes('='));
  if (bare && attribute.startsWith('cache-')) return fields.map((ref) => ({ ref, type: 'registry' }));
  if (bare && attribute === 'output') return [output(text)];
  return [sound(attribute, Object.fromEntries(fields.map((field) => pairOf(attribute, field))))];
}

/** A value that is written as an object. Fails with `parse`. */
export function checkEntry(attribute: EntryAttribute, fields: Entry): Entry {
  return sound(attribute, fields);
}

/** Fields as one text again, as flags take them. */
export function formatEntry(entry: Entry): string {
  return Object.entries(entry)
    .map(([key, value]) => quoted(`${key}=${String(value)}`))
    .join(',');
}

/** The values of an attribute as the texts of its flag. */
export function entryTexts(settings: Settings, attribute: EntryAttribute): readonly string[] {
  const entries = settings[attribute] ?? [];
  if (attribute !== 'ssh') return entries.map(formatEntry);
  return entries.map(({ id, paths = [] }) =>
    paths.length === 0 ? String(id) : `${String(id)}=${[paths].flat().join(',')}`,
  );
}

function pairOf(attribute: EntryAttribute, field: string): readonly [string, string] {
  const at = field.indexOf('=');
  if (at < 0)
    throw new BuildError('parse', `${attribute}: '${field}' has no value`, { hint: 'Write NAME=VALUE.' });
  const key = field.slice(0, at).trim().toLowerCase();
  return [attribute === 'secret' && key === 'source' ? 'src' : key, field.slice(at + 1)];
}

/** Of a secret, a variable is called by its own field. */
function sound(attribute: EntryAttribute, entry: Entry): Entry {
  if (attribute === 'secret') return secret(entry);
  if (attribute === 'ssh') return { id: 'default', ...entry };
  if (entry.type === undefined)
    throw new BuildError('parse', `${attribute} has no type`, {
      hint: `Write ${attribute === 'attest' ? 'type=provenance,mode=max' : 'type=registry,ref=NAME'}, for example.`,
    });
  return entry;
}

function secret({ type, ...entry }: Entry): Entry {
  if (entry.id === undefined && entry.src === undefined && entry.env === undefined)
    throw new BuildError('parse', 'the secret has no id', {
      hint: 'Write id=NAME,src=FILE or id=NAME,env=VARIABLE.',
    });
  const named: Entry = { ...entry, id: entry.id ?? entry.src ?? entry.env ?? '' };
  if (type !== 'env' || entry.env !== undefined) return named;
  const { src, ...rest } = named;
  return { ...rest, env: src ?? named.id ?? '' };
}

function agent(text: string): Entry {
  const at = text.indexOf('=');
  if (at < 0) return { id: text };
  return { id: text.slice(0, at), paths: text.slice(at + 1).split(',') };
}

/** A folder, or a tar on stdout. */
function output(text: string): Entry {
  return text === '-' ? { dest: '-', type: 'tar' } : { dest: text, type: 'local' };
}

function quoted(field: string): string {
  return /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
