import { resolve } from 'node:path';
import type { Option } from 'commander';
import { booleanOf } from '../core/boolean.ts';
import { usageError } from '../core/errors.ts';
import type { AttestOptions, SbomFormat } from '../core/options.ts';
import { flag } from './flags.ts';
import { parseChoice, parseFields } from './values.ts';

/** `--provenance`, `--sbom` and `--attest`, as they were written. */
export interface AttestFlags {
  readonly provenance?: string;
  readonly sbom?: string;
  readonly attest?: readonly string[];
  readonly sign?: string;
}

/** Of `build`, `push` and `manifest push`. */
export function signFlag(): Option {
  return flag('--sign <key>', 'sign what is pushed, as cosign does: a PEM file, or env://NAME');
}

/** A key as options have it: paths become absolute. */
export function keyOf(written: string, cwd: string): string {
  return written.startsWith('env://') ? written : resolve(cwd, written);
}

const form = 'Write --provenance=min, --provenance=max or --provenance=false.';

/** What is to be said beside the image. Fails with `usage`. */
export function attestOptions({ provenance, sbom, attest = [] }: AttestFlags): AttestOptions {
  const asked = attest.map((text) => typed(text));
  const restOf = (wanted: string): string | undefined => asked.find(({ type }) => type === wanted)?.rest;
  const how = parseProvenance(provenance ?? restOf('provenance') ?? 'false');
  const formats = parseSbom(sbom ?? restOf('sbom') ?? 'false');
  return { ...(how !== undefined && { provenance: how }), ...(formats.length > 0 && { sbom: formats }) };
}

/** `type=provenance,mode=max` is what `--provenance=mode=max` says. */
function typed(text: string): { readonly type: string; readonly rest: string } {
  const fields = text.split(',');
  const at = fields.findIndex((field) => field.startsWith('type='));
  const type = fields[at]?.slice('type='.length);
  if (type === undefined)
    throw usageError(`--attest '${text}' has no type`, 'Write --attest type=provenance,mode=max.');
  return {
    type: parseChoice('--attest type', type, ['provenance', 'sbom'] as const),
    rest: fields.toSpliced(at, 1).join(','),
  };
}

/** `true` (SPDX), `false`, or formats: `spdx,cyclonedx`. */
function parseSbom(text: string): SbomFormat[] {
  const words = text.split(',').filter((word) => word !== '');
  const truth = booleanOf(text);
  if (truth === false || words.includes('disabled=true')) return [];
  if (truth === true || text === '') return ['spdx'];
  if (words.some((word) => word.startsWith('generator=')))
    throw usageError(
      '--sbom runs no generator: tsbuild finds packages itself',
      'Write --sbom, or --sbom=cyclonedx.',
    );
  return words.map((word) => parseChoice('--sbom', word, ['spdx', 'cyclonedx'] as const));
}

/** `true`, `false`, `min`, `max`, or fields: `mode=max,builder-id=…`. */
function parseProvenance(text: string): AttestOptions['provenance'] {
  const truth = booleanOf(text);
  if (truth === false) return undefined;
  if (truth === true || text === '') return { mode: 'min' };
  const fields = parseFields('--provenance', text === 'min' || text === 'max' ? `mode=${text}` : text);
  const given = new Map(fields.map(({ key, value }) => [key, value ?? '']));
  for (const key of given.keys())
    if (!['mode', 'builder-id', 'disabled', 'version'].includes(key))
      throw usageError(`--provenance does not know '${key}'`, form);
  if (booleanOf(given.get('disabled') ?? '') === true) return undefined;
  const version = given.get('version') ?? 'v1';
  if (version !== 'v1')
    throw usageError(`--provenance has no version '${version}' of SLSA's`, 'It writes v1.');
  const builderId = given.get('builder-id');
  return {
    mode: parseChoice('--provenance mode', given.get('mode') ?? 'min', ['min', 'max'] as const),
    ...(builderId !== undefined && { builderId }),
  };
}
