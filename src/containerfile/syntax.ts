import { BuildError } from '../core/errors.ts';
import { foreignSyntax, type SyntaxRequest } from './directives.ts';
import { lineRange, type SourceText } from './lines.ts';
import type { Warning } from './types.ts';

/** The language that this product speaks: the reference's frontend 1.26. */
const OUR_MINOR = 26;

/** The build arg BUILDKIT_SYNTAX with this value asks for the built-in language, whatever the file says. */
const BUILT_IN = 'dockerfile.v0';

/**
 * Frontends are not run: a file that asks for another language than ours, or a newer version of it, is read as ours,
 * and told so once. A file that another frontend's own form of asking (`//`, JSON) marks as no Containerfile at all is
 * an error. `asked` is the build arg BUILDKIT_SYNTAX.
 */
export function checkSyntax(
  source: SourceText,
  own: SyntaxRequest | undefined,
  asked: string | undefined,
): { readonly warnings: Warning[]; readonly error?: BuildError } {
  if (asked === BUILT_IN) return { warnings: [] };
  const named = asked ? { frontend: asked.split(/\s/, 1)[0]!, location: lineRange(source, 0) } : own;
  const request = named ?? foreignSyntax(source);
  const reason = request === undefined ? undefined : reasonAgainst(request.frontend);
  if (request === undefined || reason === undefined) return { warnings: [] };
  if (named === undefined) return { warnings: [], error: notOurs(request) };
  const text = `${reason}: the file is read as the built-in language`;
  const hint = 'Write # syntax=docker/dockerfile:1, or remove the line.';
  return { warnings: [{ text, location: request.location, hint }] };
}

/** Why a frontend may understand what we do not; undefined for ours, wherever a copy of it lies. */
function reasonAgainst(frontend: string): string | undefined {
  const match = /^(?:[^@]*\/)?docker\/dockerfile(-upstream)?(?::([^@]*))?(?:@.*)?$/.exec(frontend);
  if (match === null) return `the frontend ${frontend} is not run`;
  const [, upstream, tag = 'latest'] = match;
  if (upstream === undefined && isOurs(tag)) return undefined;
  if (upstream === undefined && /^\d+(\.\d+)*(-labs)?$/.test(tag))
    return `the syntax ${frontend} is newer than 1.${OUR_MINOR}`;
  return `the syntax ${frontend} is not one of the stable versions up to 1.${OUR_MINOR}`;
}

/** What was tried in the labs of a version has become part of the language since. */
function isOurs(tag: string): boolean {
  if (tag === 'latest' || tag === 'labs') return true;
  const match = /^1(?:\.(\d+)(?:\.\d+)?)?(?:-labs)?$/.exec(tag);
  return match !== null && Number(match[1] ?? 0) <= OUR_MINOR;
}

function notOurs({ frontend, location }: SyntaxRequest): BuildError {
  return new BuildError('parse', `the file is written for the frontend ${frontend}, which is not run`, {
    location,
    hint: 'Write it in the language of docker/dockerfile:1.',
  });
}
