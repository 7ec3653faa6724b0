import type { Explanation } from '../../core/events.ts';
import { renderExplanation } from '../explain.ts';
import { html, type Markup } from './markup.ts';

/** Changes shown of one step. */
const mostChanges = 12;

/** Why a step was not taken from the cache, and what might help. */
export function explanation(why: Explanation): Markup {
  const clauses = renderExplanation(shortened(why), false);
  const { with: compared, reason, advice } = why;
  const isDated = compared !== undefined && reason === 'changed';
  return html`<ul class="changes">${clauses.map((clause) => html`<li>${clause}</li>`)}</ul>
    ${isDated && html`<p class="none">Compared with build ${compared.build}.</p>`}
    ${advice.map((sentence) => html`<p class="hint">${sentence}</p>`)}`;
}

function shortened(why: Explanation): Explanation {
  const rest = Math.max(0, why.changes.length - mostChanges) + (why.more ?? 0);
  return { ...why, changes: why.changes.slice(0, mostChanges), ...(rest > 0 && { more: rest }) };
}
