import type { Change, Explanation } from '../../core/events.ts';
import { html, type Markup } from './markup.ts';

/** Changes shown of one step. */
const mostChanges = 12;

/** Of a value no more is shown: a heredoc is one, too. */
const longest = 160;

/** Why a step was not taken from the cache. */
export function explanation({ reason, prunedAt, changes, advice }: Explanation): Markup {
  const shown = changes.slice(0, mostChanges);
  return html`<p>${reasons(reason, prunedAt)}</p>
    ${shown.length > 0 && html`<ul class="changes">${shown.map(change)}${changes.length > shown.length && html`<li>and ${changes.length - shown.length} more</li>`}</ul>`}
    ${advice.map((sentence) => html`<p class="hint">${sentence}</p>`)}`;
}

function reasons(reason: Explanation['reason'], prunedAt: string | undefined): string {
  const words: Readonly<Record<Explanation['reason'], string>> = {
    changed: 'What it depends on is not what it was:',
    new: 'It was never built before.',
    pruned: `Its result was pruned${prunedAt === undefined ? '' : ` on ${prunedAt.slice(0, 10)}`}.`,
    'not-shared': 'The caches that were asked have no record of it.',
    asked: 'It was to be made again.',
  };
  return words[reason];
}

function change({ what, name, how, aspect, before, after }: Change): Markup {
  const values =
    before === undefined && after === undefined
      ? undefined
      : html`<span class="values"><del>${short(before)}</del> → <ins>${short(after)}</ins></span>`;
  return html`<li class="${how}"><span class="kind">${what}</span> <code>${short(name)}</code> ${how}${aspect !== undefined && ` (${aspect})`} ${values}</li>`;
}

function short(text = 'nothing'): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
