import { type Statement, wordOf } from './statement.ts';
import type { FromInstruction } from './types.ts';
import { blankWords } from './words.ts';

/**
 * What can be made out of a FROM that is wrong, so that the stages of the file keep their numbers and names and one
 * mistake is not told again by all that refer to the stage.
 */
export function brokenFrom(statement: Statement): FromInstruction {
  const { line, args, keywordSpan, range, comments } = statement;
  const words = blankWords(line.text.slice(0, args.end), args.start).map((span) => wordOf(statement, span));
  const as = words.findIndex(({ text }) => /^as$/i.test(text));
  const name = as < 0 ? undefined : words[as + 1]?.text.toLowerCase();
  return {
    kind: 'from',
    image: words[0] ?? { text: 'scratch', range: wordOf(statement, keywordSpan).range },
    ...(name !== undefined && { name }),
    range,
    source: line.display,
    comments,
    keyword: wordOf(statement, keywordSpan),
    emptyLines: line.emptyLines,
    broken: true,
  };
}
