import { html, type Markup } from './markup.ts';
import type { ReportData, WarningReport } from './report-data.ts';
import { snippet } from './snippet.ts';

/** Warnings with the lines that they are about; nothing where there are none. */
export function warningSection({ warnings, sources }: ReportData): Markup | undefined {
  if (warnings.length === 0) return undefined;
  return html`<section id="warnings" aria-labelledby="warnings-title">
    <h2 id="warnings-title">Warnings <span class="count">${warnings.length}</span></h2>
    ${warnings.map((warning) => one(warning, sources))}</section>`;
}

function one(
  { rule, text, description, hint, url, location }: WarningReport,
  sources: ReportData['sources'],
): Markup {
  return html`<article class="warning"><h3>${rule !== undefined && html`<span class="rule">${rule}</span> `}${text}</h3>
    ${description !== undefined && html`<p>${description}${description.endsWith('.') ? '' : '.'}</p>`}
    ${hint !== undefined && html`<p class="hint">${hint}</p>`}
    ${location !== undefined && snippet(location, sources)}
    ${url !== undefined && webLink(url)}</article>`;
}

/** A page that runs from a file leads nowhere but to the web. */
function webLink(url: string): Markup | undefined {
  if (!/^https?:\/\//.test(url)) return undefined;
  return html`<p class="more"><a href="${url}" rel="noreferrer">More about this rule</a></p>`;
}
