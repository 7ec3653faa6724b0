import type { BuildError } from '../core/errors.ts';
import { type GraphOptions, graphFindings } from './graph.ts';
import { filesOf, type ParseOptions, parseAll } from './parse.ts';
import { inFileOrder, isBefore } from './source-order.ts';
import type { Containerfile, StageGraph } from './types.ts';

export type AnalyseOptions = GraphOptions & Omit<ParseOptions, 'syntax'>;

/** Everything that a file's text says: one reading for build, check, outline and targets. */
export interface Analysis {
  /** With errors: the instructions that could be read. */
  readonly containerfile: Containerfile;
  /** Absent where no graph can be made. With errors it shows what it can and is not fit to be built. */
  readonly graph?: StageGraph;
  /** All that is wrong, in the order of the file, each with its place but for an unknown target. */
  readonly errors: readonly BuildError[];
}

/** Parses a text and makes its graph; never throws a BuildError. */
export function analyse(text: string, file: string, options: AnalyseOptions): Analysis {
  const asked = options.buildArgs.BUILDKIT_SYNTAX;
  const parsed = parseAll(text, file, { ...options, ...(asked !== undefined && { syntax: asked }) });
  const { containerfile, errors } = parsed;
  if (!isHeadSound(parsed)) return { containerfile, errors };
  const { graph, errors: more } = graphFindings(containerfile, options);
  const all = inFileOrder([...errors, ...more], filesOf(containerfile));
  return { containerfile, errors: all, ...(graph !== undefined && { graph }) };
}

/** Where something is wrong above the first FROM, what the stages start from cannot be told. */
function isHeadSound({ containerfile, errors }: Pick<Analysis, 'containerfile' | 'errors'>): boolean {
  const [first] = containerfile.stages;
  if (first === undefined) return false;
  const { range } = first.from;
  return errors.every(({ location }) => location !== undefined && !isBefore(location, range));
}
