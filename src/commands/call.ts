import { analyseInput } from '../build/analysis.ts';
import { checkOptions, imageKey, type KnownConfigs } from '../build/check-facts.ts';
import { readInput } from '../build/input.ts';
import { remotesOf } from '../build/open-remotes.ts';
import type { Analysis } from '../containerfile/analyse.ts';
import { type Checked, check } from '../containerfile/check/check.ts';
import { type FindingsJson, findingsJson } from '../containerfile/check/findings-json.ts';
import { type Outline, outlineOf } from '../containerfile/check/outline.ts';
import { type Target, targetsOf } from '../containerfile/check/targets.ts';
import { BuildError } from '../core/errors.ts';
import type { BuildOptions, RegistryOptions } from '../core/options.ts';
import type { Place } from '../core/place.ts';
import type { Images } from '../core/store.ts';
import type { ImageConfig } from '../core/types.ts';
import { parseConfig } from '../oci/config.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import { openParts } from './wiring.ts';

/** What can be asked of a file instead of building it. */
export type Call = 'check' | 'outline' | 'targets';

/** The answer, with its form as JSON. */
export type Answer =
  | { readonly call: 'check'; readonly checked: Checked; readonly json: FindingsJson & WithSources }
  | { readonly call: 'outline'; readonly outline: Outline; readonly json: Outline & WithTexts }
  | { readonly call: 'targets'; readonly targets: readonly Target[]; readonly json: TargetsJson };

interface TargetsJson extends WithTexts {
  readonly targets: readonly Target[];
}

/** The files that locations are in, in base64. */
interface WithTexts {
  readonly sources: readonly string[];
}

interface WithSources {
  readonly sources: readonly {
    readonly filename: string;
    readonly language: string;
    readonly data: string;
  }[];
}

/**
 * Answers without building: no sandbox, no network. A base image counts where the local store has it; what another
 * would bring is unknown, and nothing that depends on it is told. Outline and targets fail with all that is wrong with
 * the file.
 */
export async function callFile(
  call: Call,
  options: BuildOptions,
  here: { readonly registry: RegistryOptions; readonly place: Place; readonly root: string },
): Promise<Answer> {
  await using parts = await openParts(here.root, here.registry, here.place);
  await using remotes = remotesOf(options, here.registry, { place: here.place, store: parts.store });
  await using input = await readInput(options, { store: parts.store, remotes });
  const every = call === 'check' && options.target === undefined;
  const analysis = analyseInput(input, options, { every });
  if (call !== 'check') BuildError.throwAll(analysis.errors);
  if (call === 'targets') return targetsAnswer(analysis);
  const configs = await configsOf(analysis, parts.store.images);
  const checked = check(analysis, checkOptions(options, input, configs));
  return call === 'check' ? checkAnswer(analysis, checked) : outlineAnswer(analysis, checked);
}

function targetsAnswer(analysis: Analysis): Answer {
  const targets = targetsOf(analysis.containerfile);
  return { call: 'targets', targets, json: { targets, sources: textsOf(analysis) } };
}

function checkAnswer(analysis: Analysis, checked: Checked): Answer {
  const json = { ...findingsJson(checked, analysis.containerfile), sources: sourcesOf(analysis) };
  return { call: 'check', checked, json };
}

function outlineAnswer(analysis: Analysis, { stages }: Checked): Answer {
  const outline = outlineOf(analysis.graphs[0]!, stages);
  return { call: 'outline', outline, json: { ...outline, sources: textsOf(analysis) } };
}

function textsOf(analysis: Analysis): string[] {
  return sourcesOf(analysis).map(({ data }) => data);
}

function sourcesOf({ containerfile: { file, text, included } }: Analysis): WithSources['sources'] {
  return [[file, text] as const, ...included].map(([filename, content]) => ({
    filename,
    language: 'Dockerfile',
    data: Buffer.from(content).toString('base64'),
  }));
}

/** Configurations of the base images that the local store has. */
async function configsOf({ graphs }: Analysis, images: Images): Promise<KnownConfigs> {
  const found = new Map<string, ImageConfig>();
  for (const { base, platform } of graphs.flatMap(({ stages }) => stages)) {
    const name = base.kind === 'image' ? nameOf(base.reference) : undefined;
    const stored = name === undefined ? undefined : await images.find(name);
    if (base.kind !== 'image' || stored === undefined) continue;
    const { os, architecture } = stored.image.platform;
    if (os !== platform.os || architecture !== platform.architecture) continue;
    found.set(imageKey(base.reference, platform), parseConfig(stored.image.config));
  }
  return found;
}

/** The full name of an image; undefined for what names none. */
function nameOf(reference: string): string | undefined {
  try {
    return formatReference(parseReference(reference));
  } catch (error) {
    if (error instanceof BuildError) return undefined;
    throw error;
  }
}
