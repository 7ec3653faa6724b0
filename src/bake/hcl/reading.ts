import type { Locate } from '../source.ts';
import type { SyntaxNode } from './grammar.ts';
import type { Expression } from './syntax.ts';

/** The text that is read, and how its places are told. */
export interface Reading {
  readonly text: string;
  readonly locate: Locate;
  /** An expression of the concrete syntax as one of ours. */
  readonly read: (node: SyntaxNode) => Expression;
}
