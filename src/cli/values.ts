import { csvFields } from '../core/csv.ts';
import { usageError } from '../core/errors.ts';
import { formatPlatform, parsePlatform as parse } from '../core/platform.ts';
import { bytesFrom } from '../core/sizes.ts';
import type { Platform } from '../core/types.ts';

/** Values of flags as people write them. Every message names the flag and shows the right form. */

/** `KEY=VALUE` pairs; a key alone takes what `bare` says, and is left out where that is undefined. */
export function parsePairs(
  flag: string,
  texts: readonly string[],
  bare: (key: string) => string | undefined,
): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const text of texts) {
    const equals = text.indexOf('=');
    const key = equals < 0 ? text : text.slice(0, equals);
    if (key.trim() === '') throw usageError(`${flag} '${text}' has no name`, `Write ${flag} NAME=VALUE.`);
    const value = equals < 0 ? bare(key) : text.slice(equals + 1);
    if (value !== undefined) Object.defineProperty(pairs, key, { value, ...plainField });
  }
  return pairs;
}

/** A field of any name, `__proto__` too. */
const plainField = { enumerable: true, writable: true, configurable: true };

/** Lines `NAME=VALUE` of a `--build-arg-file`; empty lines and `#` comments are skipped. */
export function parseArgLines(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trimStart());
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

/** The platforms of `--platform`, which may be repeated and holds several between commas; each counts once. */
export function parsePlatforms(texts: readonly string[]): Platform[] {
  const platforms = texts.flatMap((text) => text.split(',')).map((text) => parsePlatform(text.trim()));
  return [...new Map(platforms.map((platform) => [formatPlatform(platform), platform])).values()];
}

/** `linux/arm64/v8`, or an architecture alone, in its normal form. Layers for Windows are made in another way than ours. */
export function parsePlatform(text: string): Platform {
  const platform = platformOf(text);
  if (platform.os !== 'windows') return platform;
  throw usageError(`--platform '${text}': images for Windows cannot be built`, platformForm);
}

const platformForm = 'Write --platform OS/ARCH[/VARIANT], such as linux/arm64.';

function platformOf(text: string): Platform {
  try {
    return parse(text);
  } catch {
    throw usageError(`--platform '${text}' is not a platform`, platformForm);
  }
}

/** Bytes from `64m`, `1GB`, `512KiB`: units of 1024, as docker reads them. */
export function parseSize(flag: string, text: string): number {
  const size = bytesFrom(text.trim());
  if (size === undefined) throw usageError(`${flag} '${text}' is not a size`, `Write ${flag} 64m, or 1g.`);
  return size;
}

const timeUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds from `500ms`, `2s`, `1h30m`, `48h`; a number alone counts seconds. */
export function parseDuration(flag: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text))
    throw usageError(`${flag} '${text}' is not a duration`, `Write ${flag} 2s, 500ms or 1h30m.`);
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  return Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * timeUnits[unit!]!, 0));
}

/** A whole number from `least` up. */
export function parseCount(flag: string, text: string, least: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < least)
    throw usageError(
      `${flag} '${text}' is not a whole number from ${least} up`,
      `Write ${flag} ${Math.max(least, 4)}.`,
    );
  return value;
}

/** One of the words that a flag knows. */
export function parseChoice<T extends string>(flag: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined)
    throw usageError(`${flag} '${text}' is not known`, `Write ${flag}=${choices.join(' or ')}.`);
  return found;
}

/** Fields `a=b` of a comma list, where quotes keep commas together: `type=registry,"name=a,b"`. */
export function parseFields(
  flag: string,
  text: string,
): { readonly key: string; readonly value: string | undefined }[] {
  const fields = csvFields(text);
  if (fields === undefined)
    throw usageError(
      `${flag} '${text}' has a quote that does not end`,
      'Put the quotes around a whole field: "name=a,b".',
    );
  return fields.map((field) => {
    const equals = field.indexOf('=');
    if (equals < 0) return { key: field.trim(), value: undefined };
    return { key: field.slice(0, equals).trim().toLowerCase(), value: field.slice(equals + 1) };
  });
}
