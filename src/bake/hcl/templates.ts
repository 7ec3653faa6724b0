import type { SourceRange } from '../../core/errors.ts';
import type { SyntaxNode } from './grammar.ts';
import type { Reading } from './reading.ts';
import type { Expression } from './syntax.ts';
import { commonIndent, unmarked, unquoted, withoutIndent } from './template-text.ts';

/** A piece of a template: text as it is written, or an expression; `~` beside it takes white space away. */
interface Piece {
  readonly text?: string;
  readonly value?: Expression;
  readonly trimBefore: boolean;
  readonly trimAfter: boolean;
}

/** A quoted text with what stands in it. */
export function readQuoted(node: SyntaxNode, reading: Reading): Expression {
  const [open, ...rest] = node.children;
  const close = rest.at(-1)!;
  const inner = { nodes: rest.slice(0, -1), from: open!.end, to: close.start };
  return templateOf(inner, { ...reading, plain: unquoted }, reading.locate(node.start, node.end));
}

/** A text between `<<WORD` and `WORD`; with `<<-` its lines lose the indentation that all of them have. */
export function readHeredoc(node: SyntaxNode, reading: Reading): Expression {
  const [start, word, ...rest] = node.children;
  const end = rest.at(-1)!;
  const isFlush = reading.text.slice(start!.start, start!.end) === '<<-';
  const from = reading.text.indexOf('\n', word!.end) + 1;
  const to = reading.text.lastIndexOf('\n', end.start) + 1;
  const indent = isFlush ? commonIndent(reading.text.slice(from, to)) : 0;
  const plain = (text: string, at: number): string => unmarked(withoutIndent(text, at, { indent, reading }));
  return templateOf(
    { nodes: rest.slice(0, -1), from, to },
    { ...reading, plain },
    reading.locate(node.start, node.end),
  );
}

/** The text of a string in which nothing is to be put. */
export function templateText(node: SyntaxNode, reading: Reading): string {
  const quoted = readQuoted(node, reading);
  return quoted.kind === 'literal' ? String(quoted.value) : reading.text.slice(node.start + 1, node.end - 1);
}

/** `plain` turns what is written into text; it is told where that begins. */
interface TemplateReading extends Reading {
  readonly plain: (text: string, at: number) => string;
}

interface Inner {
  readonly nodes: readonly SyntaxNode[];
  readonly from: number;
  readonly to: number;
}

function templateOf(inner: Inner, reading: TemplateReading, range: SourceRange): Expression {
  const pieces = piecesOf(inner, reading);
  const parts = trimmed(pieces).flatMap((piece): Expression[] => {
    if (piece.value !== undefined) return [piece.value];
    return piece.text === '' ? [] : [{ kind: 'literal', value: piece.text!, range }];
  });
  const [only] = parts;
  if (only === undefined) return { kind: 'literal', value: '', range };
  const isLone = parts.length === 1 && (pieces.length === 1 || only.kind === 'literal');
  return isLone ? only : { kind: 'template', parts, range };
}

function piecesOf({ nodes, from, to }: Inner, reading: TemplateReading): Piece[] {
  const holes = nodes.filter(({ type }) => type !== 'template_literal');
  const pieces: Piece[] = [];
  let at = from;
  const addText = (until: number): void => {
    if (until > at) pieces.push({ text: reading.plain(reading.text.slice(at, until), at), ...untrimmed });
  };
  for (const hole of holes) {
    addText(hole.start);
    pieces.push(holeOf(hole, reading));
    at = hole.end;
  }
  addText(to);
  return pieces;
}

const untrimmed = { trimBefore: false, trimAfter: false };

function holeOf(node: SyntaxNode, reading: TemplateReading): Piece {
  if (node.type === 'template_directive') return directiveOf(node.children[0]!, reading);
  const value = node.children.find(({ type }) => type === 'expression')!;
  return { value: reading.read(value), ...trimsOf(node) };
}

/** Whether a marker `~` stands at its begin and at its end. */
function trimsOf({ children }: SyntaxNode): Pick<Piece, 'trimBefore' | 'trimAfter'> {
  const at = children.flatMap(({ type }, i) => (type === 'strip_marker' ? [i] : []));
  return { trimBefore: at.includes(1), trimAfter: at.includes(children.length - 2) };
}

function trimmed(pieces: readonly Piece[]): Piece[] {
  return pieces.map((piece, i) => {
    if (piece.text === undefined) return piece;
    const tail = pieces[i - 1]?.trimAfter === true ? piece.text.replace(/^\s+/, '') : piece.text;
    return { ...piece, text: pieces[i + 1]?.trimBefore === true ? tail.replace(/\s+$/, '') : tail };
  });
}

function directiveOf(node: SyntaxNode, reading: TemplateReading): Piece {
  return node.type === 'template_if' ? ifOf(node, reading) : forOf(node, reading);
}

function ifOf(node: SyntaxNode, reading: TemplateReading): Piece {
  const range = reading.locate(node.start, node.end);
  const [intro, ...rest] = node.children;
  const end = rest.at(-1)!;
  const orElse = rest.find(({ type }) => type === 'template_else_intro');
  const yes = partOf(rest, { after: intro!, before: orElse ?? end }, reading);
  const no = orElse === undefined ? emptyText(range) : partOf(rest, { after: orElse, before: end }, reading);
  const condition = reading.read(expressionIn(intro!));
  return {
    value: { kind: 'conditional', condition, yes: asText(yes), no: asText(no), range },
    trimBefore: trimsOf(intro!).trimBefore,
    trimAfter: trimsOf(end).trimAfter,
  };
}

function forOf(node: SyntaxNode, reading: TemplateReading): Piece {
  const range = reading.locate(node.start, node.end);
  const [intro, ...rest] = node.children;
  const end = rest.at(-1)!;
  const names = intro!.children.filter(({ type }) => type === 'identifier');
  const loop: Expression = {
    kind: 'for',
    names: names.map(({ start, end }) => reading.text.slice(start, end)),
    of: reading.read(expressionIn(intro!)),
    value: asText(partOf(rest, { after: intro!, before: end }, reading)),
    groups: false,
    range,
  };
  const args: Expression[] = [emptyText(range), loop];
  return {
    value: { kind: 'call', name: 'join', args, expands: false, range },
    trimBefore: trimsOf(intro!).trimBefore,
    trimAfter: trimsOf(end).trimAfter,
  };
}

/** What stands between two parts of a directive. */
function partOf(
  nodes: readonly SyntaxNode[],
  { after, before }: { readonly after: SyntaxNode; readonly before: SyntaxNode },
  reading: TemplateReading,
): Expression {
  const inside = nodes.filter(({ start, end }) => start >= after.end && end <= before.start);
  const cut = (text: string, at: number): string => {
    const whole = reading.plain(text, at);
    const tail = trimsOf(after).trimAfter && at === after.end ? whole.replace(/^\s+/, '') : whole;
    const isLast = trimsOf(before).trimBefore && at + text.length === before.start;
    return isLast ? tail.replace(/\s+$/, '') : tail;
  };
  const range = reading.locate(after.end, before.start);
  return templateOf({ nodes: inside, from: after.end, to: before.start }, { ...reading, plain: cut }, range);
}

function expressionIn({ children }: SyntaxNode): SyntaxNode {
  return children.find(({ type }) => type === 'expression')!;
}

/** Within a directive even a lone value is text. */
function asText(part: Expression): Expression {
  return { kind: 'template', parts: [part], range: part.range };
}

function emptyText(range: SourceRange): Expression {
  return { kind: 'literal', value: '', range };
}
