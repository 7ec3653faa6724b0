import { BuildError, suggestion } from '../core/errors.ts';
import type { Word } from './types.ts';

/** What `FROM --reset` takes from the configuration that a stage inherits. */
export interface Reset {
  readonly kind: 'env' | 'volume' | 'expose';
  /** One variable, volume or port (`8080/tcp`); all of them where it is absent. */
  readonly name?: string;
}

const kinds = ['env', 'volume', 'expose'] as const;

/** Reads `env,volume:/data,expose:8080`. Fails with `parse` for anything else, and for variables. */
export function resetsOf(word: Word): Reset[] {
  return word.text.split(',').map((part) => {
    const colon = part.indexOf(':');
    const name = colon < 0 ? undefined : part.slice(colon + 1).trim();
    const written = (colon < 0 ? part : part.slice(0, colon)).trim();
    const kind = kinds.find((one) => one === written);
    if (kind === undefined) throw unknownKind(word, written);
    if (name === undefined) return { kind };
    if (name === '' || name.includes('$')) throw badName(word, kind, name);
    return { kind, name: kind === 'expose' && !name.includes('/') ? `${name}/tcp` : name };
  });
}

function unknownKind(word: Word, written: string): BuildError {
  return new BuildError('parse', `--reset cannot take "${written}" away`, {
    location: word.range,
    hint: suggestion(written, kinds) ?? `It takes ${kinds.join(', ')}, or one of them as env:NAME.`,
  });
}

function badName(word: Word, kind: string, name: string): BuildError {
  const message =
    name === '' ? `--reset=${kind}: names nothing` : `--reset doesn't support variable expansion`;
  return new BuildError('parse', message, {
    location: word.range,
    hint: `Write --reset=${kind} for all, or --reset=${kind}:NAME for one.`,
  });
}
