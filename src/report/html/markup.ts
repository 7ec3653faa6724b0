import { cleanText } from '../clean.ts';

/** A piece of a page. A class, for no JSON that was read somewhere can pass for one. */
export class Markup {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

/** What may stand in a template: text and numbers are escaped, lists joined, what is absent is nothing. */
export type Piece = Markup | string | number | false | undefined | readonly Piece[];

/**
 * A piece of a page from a template. What is filled in is text unless it is markup itself: builds, images and
 * registries wrote it, and none of it may become an element, an attribute or a script.
 */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  const markup = parts.reduce((sum, part, i) => sum + textOf(pieces[i - 1]) + part.replace(/\n\s*/g, ''), '');
  return new Markup(markup);
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
  if (piece instanceof Markup) return piece.markup;
  return Array.isArray(piece) ? piece.map(textOf).join('') : escapeText(String(piece));
}
