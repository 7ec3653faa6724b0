import { BuildError } from '../core/errors.ts';
import { parsePlatform } from '../core/platform.ts';
import type { Platform } from '../core/types.ts';
import { contextName } from './context-names.ts';
import { variablesIn } from './expand.ts';
import { expandGlobal } from './global-args.ts';
import type { StageNames } from './stage-names.ts';
import type { Containerfile, Stage, StageBase, Word } from './types.ts';

export interface FromScope {
  readonly containerfile: Containerfile;
  readonly names: StageNames;
  readonly globalArgs: Readonly<Record<string, string>>;
  /** Global ARGs whose value cannot be told, because of an error in it. */
  readonly broken: ReadonlySet<string>;
  readonly contexts: ReadonlySet<string>;
}

/**
 * What a stage starts from, and its `--platform` where it has one, both expanded with the global ARGs. What depends on
 * a broken ARG is as if written without it: one error is not told twice.
 */
export function resolveFrom(
  stage: Stage,
  scope: FromScope,
): { readonly base: StageBase; readonly platform?: Platform } {
  const { image, platform: word } = stage.from;
  const name = expanded(image, scope) ?? image.text;
  if (name === '') {
    throw new BuildError('parse', `base name (${image.text}) should not be blank`, {
      location: image.range,
      hint: 'Give its variable a default with ARG above the first FROM, or a value with --build-arg.',
    });
  }
  const base = baseOf(name, stage, scope);
  const platform = word === undefined ? undefined : platformOf(word, scope);
  return platform === undefined ? { base } : { base, platform };
}

/** Only a stage above can be started from; any other name is an image. */
function baseOf(name: string, stage: Stage, { names, contexts }: FromScope): StageBase {
  if (contexts.has(contextName(name))) return { kind: 'image', reference: name };
  const parent = names.above(name, stage.index);
  if (parent !== undefined) return { kind: 'stage', index: parent };
  return name === 'scratch' ? { kind: 'scratch' } : { kind: 'image', reference: name };
}

function platformOf(word: Word, scope: FromScope): Platform | undefined {
  const text = expanded(word, scope);
  if (text === undefined) return undefined;
  const hint = 'Write --platform=os/architecture, or $BUILDPLATFORM or $TARGETPLATFORM.';
  if (text === '') {
    const message = `empty platform value from expression ${word.text}`;
    throw new BuildError('parse', message, { location: word.range, hint });
  }
  try {
    return parsePlatform(text);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    throw new BuildError('parse', error.message, { location: word.range, hint });
  }
}

/** Undefined where a broken ARG is part of it. */
function expanded(word: Word, { containerfile, globalArgs, broken }: FromScope): string | undefined {
  const settings = { escape: containerfile.escape };
  const uses = broken.size === 0 ? [] : variablesIn(word.text, settings);
  if (uses.some(({ name }) => broken.has(name))) return undefined;
  return expandGlobal(word, { ...settings, values: globalArgs });
}
