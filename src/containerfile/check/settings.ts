import { BuildError } from '../../core/errors.ts';
import { parseCheck } from '../check-settings.ts';
import type { CheckSettings } from '../types.ts';
import type { Rule } from './rules.ts';

const none: CheckSettings = { skip: [], error: false, experimental: [] };

/**
 * The settings of a file: those of the build arg `BUILDKIT_DOCKERFILE_CHECK`, which stand for the file's own where it
 * is given. Fails with `usage` where it is malformed.
 */
export function settingsFor(
  own: CheckSettings | undefined,
  buildArgs: Readonly<Record<string, string>>,
): CheckSettings {
  const given = buildArgs[ARGUMENT];
  if (given === undefined) return own ?? none;
  try {
    return parseCheck(given);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    throw new BuildError(
      'usage',
      `--build-arg ${ARGUMENT}: ${error.message}`,
      error.hint === undefined ? {} : { hint: error.hint },
    );
  }
}

const ARGUMENT = 'BUILDKIT_DOCKERFILE_CHECK';

/** The settings with those of the comments above an instruction; of several only the first counts. */
export function withComments(settings: CheckSettings, comments: readonly string[]): CheckSettings {
  const own = comments.map((comment) => COMMENT.exec(comment)?.[1]).find((text) => text !== undefined);
  if (own === undefined) return settings;
  try {
    const more = parseCheck(own);
    return {
      skip: [...settings.skip, ...more.skip],
      error: settings.error || more.error,
      experimental: [...settings.experimental, ...more.experimental],
    };
  } catch {
    // A comment is free to say anything.
    return settings;
  }
}

/** `check=…` as a comment's text. */
const COMMENT = /^check\s*=\s*(\S+)/i;

/** Whether a rule is applied: `skip=all` leaves the experimental ones that were asked for. */
export function isApplied(
  { name, experimental }: Pick<Rule, 'name' | 'experimental'>,
  settings: CheckSettings,
): boolean {
  const lists = (list: readonly string[]): boolean => list.includes(name) || list.includes('all');
  if (experimental) return lists(settings.experimental) && !settings.skip.includes(name);
  return !lists(settings.skip);
}
