import { digestOf } from '../../core/digest.ts';
import { version } from '../../core/version.ts';
import client from './client/client.ts?raw';
import { imageSection } from './image-section.ts';
import { shareSpace } from './log-shares.ts';
import { html, Markup } from './markup.ts';
import type { ReportData } from './report-data.ts';
import { stageGraph } from './stage-graph.ts';
import { stepSection } from './step-section.ts';
import style from './style.css?raw';
import { heading, summary, titleOf } from './summary.ts';
import { timeline } from './timeline.ts';
import { warningSection } from './warning-section.ts';

/** Bytes of a page that logs may take up, and rows that the trees of all layers may have: a page stays below a megabyte. */
const room = { logBytes: 300_000, treeRows: 1200 };

/**
 * A build as one page that needs nothing else and asks nobody: no other script and no other style than its own may take
 * effect in it, whatever the build brought along.
 */
export function reportPage(data: ReportData): string {
  const logs = new Map(data.steps.flatMap(({ id, log }) => (log === undefined ? [] : [[id, log]])));
  const trees = data.steps.filter(({ tree }) => tree !== undefined).length;
  const rows = Math.max(8, Math.min(300, Math.floor(room.treeRows / Math.max(1, trees))));
  const sections: readonly (readonly [string, Markup | undefined])[] = [
    ['Summary', summary(data)],
    ['Timeline', timeline(data)],
    ['Stages', stageGraph(data)],
    ['Steps', stepSection(data, { logs: shareSpace(logs, room.logBytes), rows })],
    ['Image', imageSections(data)],
    ['Warnings', warningSection(data)],
  ];
  const shown = sections.filter(([, section]) => section !== undefined);
  const page = html`<html lang="en"><head><meta charset="utf-8"/>
    <meta http-equiv="Content-Security-Policy" content="${policy()}"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <meta name="color-scheme" content="light dark"/>
    <meta name="referrer" content="no-referrer"/>
    <title>${titleOf(data.build)} – build report</title>${verbatim('style', style)}</head>
    <body><header><div class="top"><nav aria-label="Sections">${shown.map(([name]) => html`<a href="#${name.toLowerCase()}">${name}</a>`)}</nav>
    <button type="button" id="theme" hidden>Dark</button></div>
    ${heading(data)}</header>
    <main>${shown.map(([, section]) => section)}</main>
    <footer><p>Build <code>${data.build.id}</code>, reported by tsbuild ${version()}.</p></footer>
    ${verbatim('script', client)}</body></html>`;
  return `<!doctype html>\n${page.markup}\n`;
}

/** An image for each platform. */
function imageSections({ images }: ReportData): Markup | undefined {
  if (images.length === 0) return undefined;
  const titled = images.map((image) =>
    images.length === 1 ? image : { ...image, title: `${image.title} for ${image.platform}` },
  );
  return html`${titled.map(imageSection)}`;
}

/** Nothing is loaded, nothing sent; the page's own style and script are known by their digests. */
function policy(): string {
  return [
    "default-src 'none'",
    `style-src ${sourceOf(style)}`,
    `script-src ${sourceOf(client)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function sourceOf(text: string): string {
  const digest = digestOf(text).slice('sha256:'.length);
  return `'sha256-${Buffer.from(digest, 'hex').toString('base64')}'`;
}

/** Text of our own that stands in the page as it is. */
function verbatim(element: 'style' | 'script', text: string): Markup {
  return new Markup(`<${element}>${text}</${element}>`);
}
