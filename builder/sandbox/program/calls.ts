import type { constants } from 'node:os';

/** A word as a program holds it: a number, or the address of text (ended by NUL), of bytes, of a block. */
export type Word = number | bigint | string | Buffer | Block | Address;

/** Words of memory, which calls may change. It is known by its identity: the same block is the same memory. */
export interface Block {
  readonly kind: 'block';
  readonly words: readonly Word[];
}

/** The address of a byte in a block. */
export interface Address {
  readonly kind: 'address';
  readonly block: Block;
  readonly offset: number;
}

/** The word that a block holds at an offset when the call is made. */
export interface Content {
  readonly kind: 'content';
  readonly block: Block;
  readonly offset: number;
}

export type Errno = keyof typeof constants.errno;

/** One system call. What follows it is the next item unless it says otherwise. */
export interface Call extends CallOptions {
  readonly kind: 'call';
  /** As of syscall-numbers.ts. */
  readonly name: string;
  readonly args: readonly (Word | Content)[];
}

export interface CallOptions {
  /** What it is for, told where it fails: `could not ABOUT`. */
  readonly about?: string;
  /** Where the result goes. */
  readonly result?: Content;
  /** Errors after which the program goes on, with `otherwise` where that is given. */
  readonly tolerate?: readonly Errno[] | 'all';
  readonly otherwise?: Label;
  /** A result that leads elsewhere. */
  readonly when?: { readonly equals: number; readonly goto: Label };
}

/** A place in a list of items, known by its identity. */
export interface Label {
  readonly kind: 'label';
}

/** A program is a list of these, in order. */
export type Item = Call | Label | { readonly kind: 'goto'; readonly label: Label };

export function call(name: string, args: readonly (Word | Content)[], options: CallOptions = {}): Call {
  return { kind: 'call', name, args, ...options };
}

/** A place for `otherwise`, `when` and `goto` to lead to: it has to stand in the list, once. */
export function label(): Label {
  return { kind: 'label' };
}

export function goto(to: Label): Item {
  return { kind: 'goto', label: to };
}

export function block(words: readonly Word[] = [0]): Block {
  return { kind: 'block', words };
}

export function at(of: Block, offset = 0): Address {
  return { kind: 'address', block: of, offset };
}

/** The content of a block: as an argument, what it holds by then; as a result, where to keep it. */
export function from(of: Block, offset = 0): Content {
  return { kind: 'content', block: of, offset };
}
