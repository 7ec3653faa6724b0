import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileIgnore } from '../../../builder/context/ignore-patterns.ts';
import { parseMode } from '../../../builder/steps/copy-mode.ts';
import { ignoreFacts } from '../../../src/build/check-facts.ts';
import { analyse } from '../../../src/containerfile/analyse.ts';
import { type Checked, check } from '../../../src/containerfile/check/check.ts';
import type { SourceRange } from '../../../src/core/errors.ts';
import { parsePlatform } from '../../../src/core/platform.ts';
import { parseReference } from '../../../src/oci/reference.ts';

/** A file to be checked, and what must be found: lines as `line:column-line:column Rule: text`. */
export interface CheckCase {
  readonly about: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly target?: string;
  /** Images that are at hand, by name. */
  readonly bases?: Readonly<
    Record<
      string,
      { readonly env?: string[]; readonly shell?: string[]; readonly platform?: string; triggers?: string[] }
    >
  >;
  readonly findings: readonly string[];
}

const folder = fileURLToPath(new URL('../../../testdata/check/', import.meta.url));

export function checkCases(): { readonly name: string; readonly wanted: CheckCase }[] {
  return readdirSync(folder)
    .sort()
    .map((name) => ({
      name,
      wanted: JSON.parse(readFileSync(join(folder, name, 'case.json'), 'utf8')) as CheckCase,
    }));
}

/** Checks the file of a case as a build of linux/amd64 with all of its stages would. */
export function findingsOf(name: string, wanted: CheckCase): string[] {
  const text = readFileSync(join(folder, name, 'Containerfile'), 'utf8');
  const ignoreFile = join(folder, name, 'ignore');
  const ignore = existsSync(ignoreFile) ? readFileSync(ignoreFile, 'utf8') : undefined;
  return shown(checkText(text, wanted, ignore));
}

/** Warnings and errors as lines, in the order of the file. */
function shown({ warnings, errors }: Checked): string[] {
  const lines = [
    ...errors.map(({ location, message }) => ({ location, text: `error: ${message}` })),
    ...warnings.map(({ location, rule, text }) => ({ location, text: `${rule ?? 'note'}: ${text}` })),
  ];
  return lines
    .sort((a, b) => (a.location?.startLine ?? 0) - (b.location?.startLine ?? 0))
    .map(({ location, text }) => `${place(location)} ${text}`);
}

function place(range: SourceRange | undefined): string {
  if (range === undefined) return '-';
  return `${range.startLine}:${range.startColumn}-${range.endLine}:${range.endColumn}`;
}

export function checkText(text: string, given: Partial<CheckCase> = {}, ignore?: string): Checked {
  const platform = parsePlatform('linux/amd64');
  const { buildArgs = {}, target, bases = {} } = given;
  const wanted = {
    buildArgs,
    platforms: [platform],
    buildPlatform: platform,
    ...(target !== undefined && { target }),
  };
  const analysis = analyse(text, 'Containerfile', { ...wanted, every: target === undefined });
  return check(analysis, {
    ...wanted,
    base: ({ base }) => {
      const image = base.kind === 'image' ? bases[base.reference] : undefined;
      if (image === undefined) return undefined;
      const { env = [], shell, triggers = [] } = image;
      const given = { env, triggers, platform: parsePlatform(image.platform ?? 'linux/amd64') };
      return shell === undefined ? given : { ...given, shell };
    },
    ...(ignore !== undefined && { ignore: ignoreFacts(ignore, compileIgnore(ignore)) }),
    checkReference: (name) => void parseReference(name),
    checkMode: (mode) => void parseMode(mode),
  });
}
