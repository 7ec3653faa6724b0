import type { BuildError } from '../core/errors.ts';
import type { Platform } from '../core/types.ts';
import { type GraphOptions, graphFindings } from './graph.ts';
import { filesOf, type ParseOptions, parseAll } from './parse.ts';
import { withFirstFrom } from './replaced-from.ts';
import { eachOnce, inFileOrder, isBefore } from './source-order.ts';
import type { Containerfile, StageGraph } from './types.ts';

export type AnalyseOptions = Omit<GraphOptions, 'platform'> &
  Omit<ParseOptions, 'syntax'> & {
    /** What is built for: a graph each. */
    readonly platforms: readonly Platform[];
    /** The image that the first FROM means, instead of its own. */
    readonly from?: string | undefined;
  };

/** Everything that a file's text says: one reading for build, check, outline and targets. */
export interface Analysis {
  /** With errors: the instructions that could be read. */
  readonly containerfile: Containerfile;
  /**
   * One for each platform; none where they cannot be made. With errors they show what they can, and are not fit to be
   * built.
   */
  readonly graphs: readonly StageGraph[];
  /** All that is wrong, in the order of the file, each with its place but for an unknown target. */
  readonly errors: readonly BuildError[];
}

/** Parses a text and makes its graphs; never throws a BuildError. */
export function analyse(text: string, file: string, options: AnalyseOptions): Analysis {
  const asked = options.buildArgs.BUILDKIT_SYNTAX;
  const parsed = parseAll(text, file, { ...options, ...(asked !== undefined && { syntax: asked }) });
  const { errors } = parsed;
  const containerfile = withFirstFrom(parsed.containerfile, options.from);
  if (!isHeadSound(parsed)) return { containerfile, graphs: [], errors };
  const found = options.platforms.map((platform) => graphFindings(containerfile, { ...options, platform }));
  const all = [...errors, ...eachOnce(found.flatMap((one) => one.errors))];
  return {
    containerfile,
    graphs: found.flatMap(({ graph }) => graph ?? []),
    errors: inFileOrder(all, filesOf(containerfile)),
  };
}

/** Where something is wrong above the first FROM, what the stages start from cannot be told. */
function isHeadSound({ containerfile, errors }: Pick<Analysis, 'containerfile' | 'errors'>): boolean {
  const [first] = containerfile.stages;
  if (first === undefined) return false;
  const { range } = first.from;
  return errors.every(({ location }) => location !== undefined && !isBefore(location, range));
}
