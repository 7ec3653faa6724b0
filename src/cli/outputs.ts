import { resolve } from 'node:path';
import { suggestion, usageError } from '../core/errors.ts';
import type { Output } from '../core/options.ts';
import type { Packing } from '../core/types.ts';
import { parseBoolean } from './flags.ts';
import { parseChoice, parseCount, parseFields } from './values.ts';

type Given = ReadonlyMap<string, string>;

const types = ['oci', 'docker', 'local', 'tar', 'registry'] as const;
const packing = ['compression', 'compression-level', 'force-compression', 'rewrite-timestamp'];
const keysOf: Readonly<Record<(typeof types)[number], readonly string[]>> = {
  oci: ['dest', 'tar', 'name', ...packing],
  docker: ['dest', 'tar', 'name', ...packing],
  local: ['dest'],
  tar: ['dest'],
  registry: ['name', ...packing],
};
const form =
  'Write -o DIR, -o - or -o type=oci,dest=FILE; the types are oci, docker, local, tar and registry.';

/** One `-o`: `DIR`, `-` (a tar to stdout) or `type=…,key=value…`. `tags` name what a registry output pushes. */
export function parseOutput(
  text: string,
  near: { readonly cwd: string; readonly tags: readonly string[]; readonly stdoutIsTerminal: boolean },
): Output {
  if (text === '-') return { type: 'tar', dest: toStdout(text, near.stdoutIsTerminal) };
  const fields = parseFields('-o', text);
  if (fields.length === 1 && fields[0]!.value === undefined && text !== '')
    return { type: 'local', dest: resolve(near.cwd, text) };
  const { type, given } = typed(text, fields);
  const packed = packedAs(given);
  if (type === 'registry') return { type, names: namesOf(text, given.get('name'), near.tags), ...packed };
  if (type === 'docker' && given.get('dest') === undefined) return { type: 'load' };
  const dest = destOf(text, given.get('dest'), near);
  if (type === 'local' && dest === '-')
    throw usageError(`-o '${text}': a folder cannot go to stdout`, 'Write -o type=tar,dest=-.');
  if (type === 'local' || type === 'tar') return { type, dest };
  const name = given.get('name');
  return {
    type,
    dest,
    tar: tarOf(text, { type, dest, written: given.get('tar') }),
    ...packed,
    ...(name !== undefined && { name }),
  };
}

function typed(
  text: string,
  fields: readonly { readonly key: string; readonly value: string | undefined }[],
): { readonly type: (typeof types)[number]; readonly given: Given } {
  const given = new Map<string, string>();
  for (const { key, value } of fields) {
    if (value === undefined) throw usageError(`-o '${text}': '${key}' has no value`, form);
    given.set(key, value);
  }
  const written = given.get('type');
  if (written === undefined) throw usageError(`-o '${text}' has no type`, form);
  const type = types.find((known) => known === written);
  if (type === undefined) throw usageError(`-o does not know the type '${written}'`, nearest(written, types));
  const keys = keysOf[type];
  for (const key of given.keys())
    if (key !== 'type' && !keys.includes(key))
      throw usageError(`-o type=${type} does not know '${key}'`, nearest(key, keys));
  return { type, given };
}

function nearest(written: string, known: readonly string[]): string {
  return suggestion(written, known) ?? `It knows ${known.join(', ')}.`;
}

function packedAs(given: Given): { readonly compression?: Packing; readonly forceCompression?: boolean } {
  const compression = packingOf(given.get('compression'), given.get('compression-level'));
  const force = parseBoolean('-o force-compression', given.get('force-compression') ?? 'false');
  return {
    ...(compression !== undefined && { compression }),
    ...(force && { compression: compression ?? 'gzip', forceCompression: true }),
  };
}

/** The least and the most that compressors know. */
const levels = { gzip: [0, 9], zstd: [1, 22] } as const;

function packingOf(written: string | undefined, level: string | undefined): Packing | undefined {
  const compression =
    written === undefined
      ? undefined
      : parseChoice('-o compression', written, ['gzip', 'zstd', 'uncompressed'] as const);
  if (level === undefined) return compression;
  if (compression === 'uncompressed')
    throw usageError('-o compression=uncompressed has no level', 'Leave compression-level away.');
  const kind = compression ?? 'gzip';
  const [least, most] = levels[kind];
  const number = parseCount('-o compression-level', level, least);
  if (number <= most) return `${kind}-${number}`;
  throw usageError(`-o compression-level: ${kind} knows no ${number}`, `It goes from ${least} to ${most}.`);
}

/** `rewrite-timestamp=false` of the outputs, which are of one image: all of them have to say it. Fails with `usage`. */
export function keepsTimes(texts: readonly string[] = []): boolean {
  const said = texts.map((text) => parseFields('-o', text).find(({ key }) => key === 'rewrite-timestamp'));
  const kept = said.map((field) =>
    field === undefined ? undefined : !parseBoolean('-o rewrite-timestamp', field.value ?? ''),
  );
  if (!kept.includes(true)) return false;
  if (kept.every((one) => one === true)) return true;
  throw usageError(
    'one image cannot both keep and lose the times of its files',
    'Write rewrite-timestamp=false in every -o, or in none.',
  );
}

function namesOf(text: string, written: string | undefined, tags: readonly string[]): readonly string[] {
  const names = written === undefined ? tags : written.split(',').filter((name) => name !== '');
  if (names.length === 0)
    throw usageError(`-o '${text}' has no name to push to`, 'Add -t NAME, or name=NAME.');
  return names;
}

function destOf(
  text: string,
  written: string | undefined,
  near: { readonly cwd: string; readonly stdoutIsTerminal: boolean },
): string {
  if (written === '-' || written === undefined || written === '')
    return toStdout(text, near.stdoutIsTerminal);
  return resolve(near.cwd, written);
}

function toStdout(text: string, isTerminal: boolean): string {
  if (isTerminal)
    throw usageError(
      `-o '${text}' would write an archive to the terminal`,
      'Add dest=FILE, or send stdout to a file.',
    );
  return '-';
}

function tarOf(
  text: string,
  {
    type,
    dest,
    written,
  }: { readonly type: 'oci' | 'docker'; readonly dest: string; readonly written: string | undefined },
): boolean {
  if (written === undefined || written === 'true') return true;
  if (written !== 'false') throw usageError(`-o '${text}': tar is true or false`);
  if (type === 'docker')
    throw usageError(`-o '${text}': only type=oci can be a folder`, 'Write type=oci,tar=false.');
  if (dest === '-') throw usageError(`-o '${text}': a folder cannot go to stdout`, 'Add dest=DIR.');
  return false;
}
