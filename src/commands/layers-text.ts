import { cleanLine, cleanName } from '../report/clean.ts';
import { fitTable } from '../report/fit-table.ts';
import { formatBytes } from '../report/format.ts';
import type { ShownLayers } from './shown-layers.ts';

/** On a screen narrower than this the size in which a layer is sent is left out. */
const roomy = 60;

/** What a person reads of an image's layers, fit for so many columns. */
export function layersText(shown: ShownLayers, columns: number | undefined): string {
  return [
    headOf(shown),
    layerTable(shown, columns),
    ...section('Biggest files', fileRows(shown.biggestFiles), columns),
    ...section('Biggest directories', directoryRows(shown.biggestDirectories), columns),
    ...section('Replaced or removed by a later layer', lossRows(shown), columns),
    ...repeatedHint(shown),
    ...section('The same content in several files', copyRows(shown), columns),
  ].join('\n');
}

function headOf({ name, id, platform, bytes, lost, efficiency }: ShownLayers): string {
  const share = lost === 0 ? '100' : Math.min(efficiency * 100, 99.9).toFixed(1);
  const seen = lost === 0 ? 'all of it seen' : `${formatBytes(lost)} never seen`;
  return `${cleanName(name)} (${platform})\n${id}\n${formatBytes(bytes)} of files, ${seen}\nefficiency ${share} %\n`;
}

function layerTable({ layers }: ShownLayers, columns: number | undefined): string {
  const isRoomy = columns === undefined || columns >= roomy;
  const pick = (...[number, size, lost, packed, step]: readonly string[]): string[] =>
    [number, size, lost, ...(isRoomy ? [packed] : []), step].map((cell) => cell ?? '');
  const rows = layers.map((layer) =>
    pick(
      String(layer.number),
      formatBytes(layer.bytes),
      formatBytes(layer.lost),
      layer.packedBytes === undefined ? '-' : formatBytes(layer.packedBytes),
      stepOf(layer.instruction),
    ),
  );
  const head = pick('#', 'SIZE', 'UNSEEN', 'PACKED', 'INSTRUCTION');
  return fitTable([head, ...rows], { columns, right: [0, 1, 2, ...(isRoomy ? [3] : [])] });
}

function stepOf(instruction: string): string {
  return instruction === '' ? '(the history tells nothing)' : cleanLine(instruction.replace(/\s+/g, ' '));
}

function section(title: string, rows: readonly string[][], columns: number | undefined): string[] {
  return rows.length === 0 ? [] : [`${title}\n${fitTable(rows, { columns, right: [0] })}`];
}

function fileRows(files: ShownLayers['biggestFiles']): string[][] {
  return files.map(({ path, bytes, layer }) => [formatBytes(bytes), `#${layer}`, nameOf(path)]);
}

function directoryRows(directories: ShownLayers['biggestDirectories']): string[][] {
  return directories.map(({ path, bytes, files }) => [
    formatBytes(bytes),
    `${files} file${files === 1 ? '' : 's'}`,
    nameOf(path),
  ]);
}

function repeatedHint({ losses }: ShownLayers): string[] {
  return losses.some(({ how }) => how === 'repeated')
    ? [
        'What is repeated has the same content: give mode and owner where it is made (COPY --chmod --chown).\n',
      ]
    : [];
}

function lossRows({ losses }: ShownLayers): string[][] {
  return losses.map(({ path, bytes, files, layer, by, how }) => {
    const what = files > 1 ? `${nameOf(path)} (${files} files)` : nameOf(path);
    return [formatBytes(bytes), `#${layer}`, `${hows[how]} #${by}`, what];
  });
}

const hows = { removed: 'removed by', replaced: 'replaced by', repeated: 'repeated by' } as const;

function copyRows({ copies }: ShownLayers): string[][] {
  return copies.map(({ bytes, paths }) => [
    `${formatBytes(bytes)}`,
    `${paths.length} times`,
    paths.slice(0, 4).map(nameOf).join(' ') + (paths.length > 4 ? ' …' : ''),
  ]);
}

function nameOf(path: string): string {
  return `/${cleanName(path)}`;
}
