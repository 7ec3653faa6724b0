import { booleanOf } from '../core/boolean.ts';
import { BuildError, suggestion } from '../core/errors.ts';
import type { CheckSettings } from './types.ts';

const OPTIONS = ['skip', 'error', 'experimental'];

/**
 * Reads the value of `# check=` or of the build arg BUILDKIT_DOCKERFILE_CHECK (§12): `skip=A,B;error=true`. Fails with
 * `parse`, without a place, for what is no such setting.
 */
export function parseCheck(text: string): CheckSettings {
  const settings = { skip: [] as readonly string[], error: false, experimental: [] as readonly string[] };
  if (text.trim() === '') return settings;
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    const name = part.slice(0, equals < 0 ? part.length : equals).trim();
    const value = equals < 0 ? undefined : part.slice(equals + 1).trim();
    if (!OPTIONS.includes(name)) throw unknownOption(name);
    if (value === undefined) throw noValue(name);
    if (name === 'error') settings.error = truth(value);
    else settings[name as 'skip' | 'experimental'] = value.split(',').map((rule) => rule.trim());
  }
  return settings;
}

function truth(value: string): boolean {
  const known = booleanOf(value);
  if (known !== undefined) return known;
  throw new BuildError('parse', `the check option error=${value} is no boolean`, {
    hint: 'Write error=true or error=false.',
  });
}

function unknownOption(name: string): BuildError {
  const all = 'The options are skip=RULE,…, error=true and experimental=RULE,…, with ; between them.';
  return new BuildError('parse', `invalid check option "${name}"`, {
    hint: suggestion(name, OPTIONS) ?? all,
  });
}

function noValue(name: string): BuildError {
  return new BuildError('parse', `the check option "${name}" has no value`, {
    hint: name === 'error' ? 'Write error=true.' : `Write ${name}=RULE or ${name}=all.`,
  });
}
