import { usageError } from '../core/errors.ts';
import type { Annotated, Annotation } from '../core/options.ts';
import { formatPlatform } from '../core/platform.ts';
import { parsePlatform } from './values.ts';

const levels = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'] as const;
const form = 'Write --annotation NAME=VALUE, or LEVEL:NAME=VALUE with a level such as manifest or index.';

/**
 * `NAME=VALUE`, `LEVEL:NAME=VALUE`, `LEVEL[PLATFORM],LEVEL:NAME=VALUE`. Without a level it is for manifests. A single
 * image has no index, so that what is for one is refused, as is what is for a platform that is not built. Fails with
 * `usage`.
 */
export function parseAnnotations(texts: readonly string[], made: Annotated): Annotation[] {
  return texts.flatMap((text) => {
    const { places, rest } = placesOf(text);
    const equals = rest.indexOf('=');
    const name = equals < 0 ? rest : rest.slice(0, equals);
    if (equals < 0) throw usageError(`--annotation '${rest}' has no value`, form);
    if (name.trim() === '') throw usageError(`--annotation '${text}' has no name`, form);
    for (const place of places) check(text, place, made);
    return places.map((place) => ({ ...place, name, value: rest.slice(equals + 1) }));
  });
}

type Place = Pick<Annotation, 'level' | 'platform'>;

/** The levels before the first colon, where all of them are known: a name may have a colon too. */
function placesOf(text: string): { readonly places: readonly Place[]; readonly rest: string } {
  const colon = text.search(/[:=]/);
  const words = text[colon] === ':' ? text.slice(0, colon).split(',') : [];
  const places = words.map((word) => placeOf(word));
  if (places.length === 0 || places.some((place) => place === undefined))
    return { places: [{ level: 'manifest' }], rest: text };
  return { places: places as Place[], rest: text.slice(colon + 1) };
}

function placeOf(word: string): Place | undefined {
  const [, name, platform] = /^([a-z-]+)(?:\[([A-Za-z0-9_/.-]+)\])?$/.exec(word.trim()) ?? [];
  const level = levels.find((known) => known === name);
  if (level === undefined) return undefined;
  return platform === undefined ? { level } : { level, platform: parsePlatform(platform) };
}

function check(text: string, { level, platform }: Place, { isIndex, platforms }: Annotated): void {
  if (level.startsWith('index') && !isIndex) {
    throw usageError(
      `--annotation '${text}': a single image has no ${level}`,
      'Write --annotation NAME=VALUE, or name several platforms with --platform.',
    );
  }
  const built = platforms.map(formatPlatform);
  if (platform === undefined || built.includes(formatPlatform(platform))) return;
  throw usageError(
    `--annotation '${text}': ${formatPlatform(platform)} is not built`,
    `It is built for ${built.join(', ')}: name another with --platform.`,
  );
}
