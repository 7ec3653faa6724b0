import { checkedFlags, refuseVariable } from './flags.ts';
import {
  blankArguments,
  failure,
  jsonArguments,
  type Statement,
  withoutOpening,
  wordOf,
} from './statement.ts';
import type { CopyInstruction, Heredoc, Word } from './types.ts';
import type { Span } from './words.ts';

type CopyParts = Omit<CopyInstruction, 'range' | 'source' | 'comments'>;

/** COPY and ADD: sources, heredocs that stand among them, and the destination. */
export function copy(statement: Statement, kind: 'copy' | 'add'): CopyParts {
  const flags = checkedFlags(statement);
  const from = flags.text('from');
  if (from !== undefined) refuseVariable(from, '--from');
  return {
    kind,
    ...paths(statement),
    link: flags.bool('link') ?? false,
    parents: false,
    excludes: [],
    optional: false,
    ...given({ from, chown: flags.text('chown'), chmod: flags.text('chmod') }),
    ...given({ checksum: flags.text('checksum') }),
    ...given({ keepGitDir: flags.bool('keep-git-dir'), unpack: flags.bool('unpack') }),
  };
}

/** The members that are not undefined. */
function given<Members extends object>(
  members: Members,
): { [Name in keyof Members]?: NonNullable<Members[Name]> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Members]?: NonNullable<Members[Name]>;
  };
}

function paths(statement: Statement): { sources: Word[]; heredocs: Heredoc[]; destination: Word } {
  const json = jsonArguments(statement);
  const words = json ?? spansWithoutHeredocs(statement).map((span) => wordOf(statement, span));
  const destination = words.at(-1);
  const heredocs = json === undefined ? statement.heredocs : [];
  const last = heredocs.at(-1);
  const name = statement.keyword.toUpperCase();
  if (last !== undefined && last.opening.end >= statement.args.end) {
    const hint = `Name the destination after it: ${name} <<${last.name} /path.`;
    throw failure(statement, last.opening, `${name} cannot have a heredoc as its destination`, hint);
  }
  if (destination === undefined || words.length + heredocs.length < 2) {
    const message = `${name} requires at least two arguments, sources and a destination`;
    throw failure(statement, statement.keywordSpan, message);
  }
  return { sources: words.slice(0, -1), heredocs: heredocs.map(withoutOpening), destination };
}

function spansWithoutHeredocs(statement: Statement): Span[] {
  const openings = statement.heredocs.map(({ opening }) => opening);
  return blankArguments(statement).filter(
    (span) => !openings.some((opening) => span.start < opening.end && opening.start < span.end),
  );
}
