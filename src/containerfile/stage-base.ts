import { BuildError } from '../core/errors.ts';
import { parsePlatform } from '../core/platform.ts';
import type { Platform } from '../core/types.ts';
import { contextName } from './context-names.ts';
import { expandGlobal } from './global-args.ts';
import type { Containerfile, Stage, StageBase, Warning, Word } from './types.ts';

interface FromScope {
  readonly containerfile: Containerfile;
  readonly globalArgs: Readonly<Record<string, string>>;
  readonly contexts: ReadonlySet<string>;
  readonly warnings: Warning[];
}

/** What a stage starts from, and its `--platform` where it has one, both expanded with the global ARGs. */
export function resolveFrom(
  stage: Stage,
  scope: FromScope,
): { readonly base: StageBase; readonly platform?: Platform } {
  const { image, platform } = stage.from;
  const name = expanded(image, scope);
  if (name === '') {
    throw new BuildError('parse', `base name (${image.text}) should not be blank`, {
      location: image.range,
      hint: 'Give its variable a default with ARG above the first FROM, or a value with --build-arg.',
    });
  }
  const base = baseOf(name, stage, scope);
  return platform === undefined ? { base } : { base, platform: platformOf(platform, scope) };
}

/** Only a stage above can be started from; any other name is an image. */
function baseOf(name: string, stage: Stage, { containerfile, contexts }: FromScope): StageBase {
  const lower = name.toLowerCase();
  if (contexts.has(contextName(name))) return { kind: 'image', reference: name };
  const above = containerfile.stages.slice(0, stage.index).filter((one) => one.name === lower);
  const parent = above.at(-1);
  if (parent !== undefined) return { kind: 'stage', index: parent.index };
  return name === 'scratch' ? { kind: 'scratch' } : { kind: 'image', reference: name };
}

function platformOf(word: Word, scope: FromScope): Platform {
  const text = expanded(word, scope);
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

function expanded(word: Word, { containerfile, globalArgs, warnings }: FromScope): string {
  return expandGlobal(word, { values: globalArgs, escape: containerfile.escape, warnings });
}
