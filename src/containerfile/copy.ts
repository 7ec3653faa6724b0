import { checkedFlags, type Flags, refuseVariable } from './flags.ts';
import {
  blankArguments,
  failure,
  jsonArguments,
  type Statement,
  withoutOpening,
  wordOf,
} from './statement.ts';
import type { CopyInstruction, Heredoc, PartsOf, Word } from './types.ts';
import type { Span } from './words.ts';

type CopyParts = PartsOf<CopyInstruction>;

/** COPY and ADD: sources, heredocs that stand among them, and the destination. */
export function copy(statement: Statement, kind: 'copy' | 'add'): CopyParts {
  const flags = checkedFlags(statement);
  const from = flags.text('from');
  if (from !== undefined) refuseVariable(from, '--from');
  return {
    kind,
    ...paths(statement),
    link: flags.bool('link') ?? false,
    parents: flags.bool('parents') ?? false,
    excludes: flags.list('exclude'),
    optional: flags.bool('optional') ?? false,
    ...(from !== undefined && { from }),
    ...(statement.flags.length > 0 && optionalParts(flags)),
  };
}

function optionalParts(flags: Flags): Partial<CopyParts> {
  const [chown, chmod, checksum] = ['chown', 'chmod', 'checksum'].map(flags.text);
  const [keepGitDir, unpack] = ['keep-git-dir', 'unpack'].map(flags.bool);
  return {
    ...(chown !== undefined && { chown }),
    ...(chmod !== undefined && { chmod }),
    ...(checksum !== undefined && { checksum }),
    ...(keepGitDir !== undefined && { keepGitDir }),
    ...(unpack !== undefined && { unpack }),
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
  const { heredocs } = statement;
  let at = 0;
  return blankArguments(statement).filter((span) => {
    while (at < heredocs.length && heredocs[at]!.opening.end <= span.start) at++;
    const next = heredocs[at]?.opening;
    return next === undefined || next.start >= span.end;
  });
}
