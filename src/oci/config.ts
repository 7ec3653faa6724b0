import { type Digest, isDigest } from '../core/digest.ts';
import { BuildError } from '../core/errors.ts';
import type { HistoryEntry, ImageConfig, Platform } from '../core/types.ts';

/** Bytes that a configuration may have. */
export const maxConfigBytes = 8 * 2 ** 20;

/** The field that holds what later builds may know of the steps of the image: the inline cache. */
export const inlineCacheField = 'tsbuild.cache.v1';
/** Fields that tell of how an image was made: they hold for no image that is built on it. */
export const ofThisImageAlone: readonly string[] = [inlineCacheField, 'moby.buildkit.cache.v0'];

type Json = Readonly<Record<string, unknown>>;

/** Fields of `config` and what they must be; others are kept as they came. */
const shapes: Record<string, (value: unknown) => boolean> = {
  User: isString,
  ExposedPorts: isObject,
  Env: isStrings,
  Entrypoint: isStrings,
  Cmd: isStrings,
  Volumes: isObject,
  WorkingDir: isString,
  Labels: (value) => isObject(value) && Object.values(value).every(isString),
  StopSignal: isString,
  ArgsEscaped: (value) => typeof value === 'boolean',
  Healthcheck: isObject,
  Shell: isStrings,
  OnBuild: isStrings,
};
const order = ['created', 'author', 'architecture', 'os', 'os.version', 'os.features', 'variant', 'config'];
const last = ['rootfs', 'history'];
const byName = new Set(['ExposedPorts', 'Volumes', 'Labels']);

/**
 * Reads an image configuration (image-spec, config.md). Fields that are not known stay; `null` counts as absent.
 * Input is hostile; throws `image` where a field that tsbuild uses is not what it must be.
 */
export function parseConfig(bytes: Buffer): ImageConfig {
  if (bytes.length > maxConfigBytes) throw malformed('is larger than 8 MiB');
  const json = parseJson(bytes);
  for (const field of ['architecture', 'os']) if (!isString(json[field])) throw malformed(`has no ${field}`);
  for (const field of ['created', 'author', 'variant']) check(json, field, isString);
  check(json, 'config', isObject);
  check(json, 'history', (value) => Array.isArray(value) && value.every(isObject));
  const rootfs = json.rootfs;
  if (!isObject(rootfs) || rootfs.type !== 'layers') throw malformed('has no rootfs of type "layers"');
  const diffIds = rootfs.diff_ids ?? [];
  if (!Array.isArray(diffIds) || !diffIds.every((id) => isString(id) && isDigest(id))) {
    throw malformed('has a diff_id that is no sha256 digest');
  }
  const config = isObject(json.config) ? containerConfig(json.config) : {};
  return {
    ...withoutNull(json),
    config,
    rootfs: { type: 'layers', diff_ids: diffIds },
  } as unknown as ImageConfig;
}

/** The bytes of a configuration: fields in a fixed order, maps sorted by name. Their digest is the image id. */
export function encodeConfig(config: ImageConfig): Buffer {
  const inner = config.config ?? {};
  const names = Object.keys(shapes);
  const container = Object.fromEntries(
    arranged(inner, names, []).map(([name, value]) => [name, byName.has(name) ? sorted(value) : value]),
  );
  const all = Object.fromEntries(arranged({ ...config, config: container }, order, last));
  return Buffer.from(JSON.stringify(all));
}

/** The configuration of an image without layers. */
export function emptyConfig({ os, architecture, variant }: Platform): ImageConfig {
  return {
    architecture,
    os,
    ...(variant !== undefined && { variant }),
    config: {},
    rootfs: { type: 'layers', diff_ids: [] },
    history: [],
  };
}

/** What an image is for, as its configuration says. */
export function platformOf({ os, architecture, variant }: ImageConfig): Platform {
  return { os, architecture, ...(variant !== undefined && { variant }) };
}

/** The configuration with one layer more. */
export function appendLayer(config: ImageConfig, diffId: Digest, history: HistoryEntry): ImageConfig {
  const diff_ids = [...config.rootfs.diff_ids, diffId];
  return { ...config, rootfs: { type: 'layers', diff_ids }, history: [...(config.history ?? []), history] };
}

/** The configuration with a line of history for a step that made no layer. */
export function appendHistory(config: ImageConfig, history: HistoryEntry): ImageConfig {
  return { ...config, history: [...(config.history ?? []), { ...history, empty_layer: true }] };
}

function parseJson(bytes: Buffer): Json {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new BuildError('image', "the image's configuration is not JSON", { cause });
  }
  if (!isObject(json)) throw malformed('is not an object');
  return json;
}

function containerConfig(config: Json): Json {
  for (const [field, isShape] of Object.entries(shapes)) check(config, field, isShape);
  return withoutNull(config);
}

function check(json: Json, field: string, isShape: (value: unknown) => boolean): void {
  const value = json[field];
  if (value !== undefined && value !== null && !isShape(value)) throw malformed(`has a malformed ${field}`);
}

function withoutNull(json: Json): Json {
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
}

/** Fields in order: those named `first`, those unknown by name, those named `end`; undefined ones are left out. */
function arranged(json: Json, first: readonly string[], end: readonly string[]): [string, unknown][] {
  const others = Object.keys(json).filter((name) => !first.includes(name) && !end.includes(name));
  return [...first, ...others.sort(), ...end]
    .filter((name) => Object.hasOwn(json, name) && json[name] !== undefined)
    .map((name) => [name, json[name]]);
}

function sorted(value: unknown): unknown {
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every(isString);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(what: string): BuildError {
  return new BuildError('image', `the image's configuration ${what}`);
}
