import type { SourceRange } from '../core/errors.ts';
import type { Containerfile } from './types.ts';

/**
 * Narrows the range of an instruction to the variable, flag or argument `needle` in it, for a message that can point.
 * A second parser is asked, and believed only where its instruction begins and ends on the lines ours does; otherwise,
 * or when it knows nothing of the sort, a needle that stands once in the lines is taken, else the range stays.
 */
export async function finerRange(
  containerfile: Pick<Containerfile, 'file' | 'text'>,
  range: SourceRange,
  needle: string,
): Promise<SourceRange> {
  if (needle === '') return range;
  // A CommonJS package: in the bundle it has a default export only.
  const { default: ast } = await import('dockerfile-ast');
  const instruction = ast.DockerfileParser.parse(containerfile.text)
    .getInstructions()
    .find((one) => {
      const bounds = one.getRange();
      return bounds.start.line + 1 === range.startLine && bounds.end.line + 1 === range.endLine;
    });
  const variable = instruction?.getVariables().find((one) => one.getName() === needle);
  const argument = instruction?.getArguments().find((one) => one.getValue() === needle);
  const found = variable?.getRange() ?? argument?.getRange();
  if (found === undefined) return onlyOccurrence(containerfile.text, range, needle) ?? range;
  return {
    file: containerfile.file,
    startLine: found.start.line + 1,
    startColumn: found.start.character + 1,
    endLine: found.end.line + 1,
    endColumn: found.end.character + 1,
  };
}

function onlyOccurrence(text: string, range: SourceRange, needle: string): SourceRange | undefined {
  const places = text
    .split('\n')
    .slice(range.startLine - 1, range.endLine)
    .flatMap((line, i) => columnsOf(line, needle).map((column) => ({ line: range.startLine + i, column })));
  const [only, another] = places;
  if (only === undefined || another !== undefined) return undefined;
  const endColumn = only.column + needle.length;
  return { file: range.file, startLine: only.line, startColumn: only.column, endLine: only.line, endColumn };
}

/** Columns, from 1, at which the needle begins. */
function columnsOf(line: string, needle: string): number[] {
  const columns: number[] = [];
  for (let at = line.indexOf(needle); at >= 0; at = line.indexOf(needle, at + 1)) columns.push(at + 1);
  return columns;
}
