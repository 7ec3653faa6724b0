import { cleanText } from '../clean.ts';

/** A piece of a page. Only `html` and `svg` make it, so that whatever else comes into a page is text. */
export interface Markup {
  readonly markup: string;
}

/** What may stand in a template: text and numbers are escaped, lists joined, what is absent is nothing. */
export type Piece = Markup | string | number | false | undefined | readonly Piece[];

/**
 * A piece of a page from a template. What is filled in is text unless it is markup itself: builds, images and
 * registries wrote it, and none of it may become an element, an attribute or a script.
 */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  const markup = parts.reduce((sum, part, i) => sum + textOf(pieces[i - 1]) + part.replace(/\n\s*/g, ''), '');
  return { markup };
}

/** Text as it stands in a page, fit for content and for attributes in quotes. */
export function escapeText(text: string): string {
  return cleanText(text)
    .toWellFormed()
    .replace(/[&<>"']/g, (character) => entities[character]!);
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function textOf(piece: Piece): string {
  if (piece === undefined || piece === false) return '';
  if (typeof piece === 'number') return String(piece);
  if (typeof piece === 'string') return escapeText(piece);
  return 'markup' in piece ? piece.markup : piece.map(textOf).join('');
}
