import { formatBytes } from '../format.ts';
import { html, type Markup } from './markup.ts';
import type { ImageLayer, ImageReport, LossReport, SizedPath } from './report-data.ts';
import { anchorOf } from './step-words.ts';

/** Rows of the lists of paths. */
const mostPaths = 12;

/** What an image holds: its layers, what of them nobody sees, its biggest files and directories. */
export function imageSection(image: ImageReport, index: number): Markup {
  const id = index === 0 ? 'image' : `image-${index + 1}`;
  return html`<section id="${id}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${image.title}</h2>
    ${about(image)}
    ${layersTable(image)}
    <div class="columns">
    ${paths('Biggest files', image.biggestFiles, image.bytes)}
    ${paths('Biggest directories', image.biggestFolders, image.bytes)}
    </div>
    ${losses(image)}
    </section>`;
}

function about({ bytes, lost, layers, platform, id }: ImageReport): Markup {
  const unknown = layers.filter(({ tree }) => tree === undefined).length;
  const used = bytes === 0 ? 100 : Math.floor(((bytes - lost) / bytes) * 100);
  return html`<p class="about">${layers.length} layer${layers.length === 1 ? '' : 's'} for ${platform}, ${formatBytes(bytes)} of files
    ${unknown > 0 && html` in the ${layers.length - unknown} that are at hand`}.
    ${lost > 0 ? html` Later layers overwrite or delete <strong>${formatBytes(lost)}</strong>: ${used} % are left.` : html` Nothing of it is overwritten or deleted later.`}
    </p>${id !== undefined && html`<p class="id"><code>${id}</code></p>`}`;
}

function layersTable({ layers }: ImageReport): Markup {
  const most = Math.max(1, ...layers.map(({ tree }) => tree?.bytes ?? 0));
  return html`<table class="layers"><caption class="unseen">Layers, the lowest first</caption>
    <thead><tr><th scope="col">Layer</th><th scope="col" class="wide"><span class="unseen">share</span></th><th scope="col" class="number">Size</th><th scope="col" class="number">Lost later</th></tr></thead>
    <tbody>${layers.map((layer) => layerRow(layer, most))}</tbody></table>`;
}

function layerRow({ createdBy, step, tree, diffId }: ImageLayer, most: number): Markup {
  const words = (createdBy === '' ? diffId : createdBy).slice(0, 300);
  const name =
    step === undefined ? html`<span>${words}</span>` : html`<a href="#${anchorOf(step)}">${words}</a>`;
  return html`<tr><td class="what">${name}</td>
    <td class="wide">${tree !== undefined && bar(tree.bytes, tree.lost, most)}</td>
    <td class="number">${tree === undefined ? 'in a registry' : formatBytes(tree.bytes)}</td>
    <td class="number">${tree === undefined || tree.lost === 0 ? html`<span class="none">–</span>` : html`<span class="lost">${formatBytes(tree.lost)}</span>`}</td></tr>`;
}

function bar(bytes: number, lost: number, most: number): Markup {
  const [all, hidden] = [bytes, lost].map((value) => Math.round((value / most) * 1000) / 10);
  return html`<svg class="meter"><rect width="${all}%"/><rect class="lost" width="${hidden}%"/></svg>`;
}

function paths(title: string, found: readonly SizedPath[], whole: number): Markup | undefined {
  if (found.length === 0) return undefined;
  return html`<div><h3>${title}</h3><table class="paths"><tbody>${found
    .slice(0, mostPaths)
    .map(
      ({ path, bytes }) =>
        html`<tr><td class="what"><code>${path}</code></td><td class="number">${formatBytes(bytes)}</td><td class="number part">${percentOf(bytes, whole)}</td></tr>`,
    )}</tbody></table></div>`;
}

function percentOf(bytes: number, whole: number): string {
  const percent = (bytes / Math.max(1, whole)) * 100;
  return percent >= 1 ? `${Math.round(percent)} %` : '< 1 %';
}

const how: Readonly<Record<LossReport['how'], string>> = {
  removed: 'deleted by',
  replaced: 'overwritten by',
  repeated: 'written again by',
};

function losses({ losses, layers }: ImageReport): Markup | undefined {
  if (losses.length === 0) return undefined;
  const rest = losses.slice(mostPaths);
  const restBytes = rest.reduce((sum, { bytes }) => sum + bytes, 0);
  return html`<h3>Bytes that nobody sees</h3><table class="paths losses"><tbody>${losses
    .slice(0, mostPaths)
    .map(
      (loss) =>
        html`<tr><td class="what"><code>${loss.path}</code><br/><small>${how[loss.how]} ${layerName(layers[loss.by])}</small></td><td class="number">${formatBytes(loss.bytes)}</td></tr>`,
    )}${rest.length > 0 && html`<tr><td>and ${rest.length} more</td><td class="number">${formatBytes(restBytes)}</td></tr>`}</tbody></table>`;
}

function layerName(layer: ImageLayer | undefined): Markup {
  const words = (layer?.createdBy ?? '').slice(0, 120);
  return layer?.step === undefined ? html`${words}` : html`<a href="#${anchorOf(layer.step)}">${words}</a>`;
}
