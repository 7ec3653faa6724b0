import type { Change } from '../core/events.ts';
import { type ChangedDirectory, changedDirectories } from '../oci/changed-directories.ts';
import type { Aspect, FileChange, FileState } from '../oci/file-diff.ts';
import { cleanLine, cleanName } from '../report/clean.ts';
import { fitTable } from '../report/fit-table.ts';
import { formatBytes } from '../report/format.ts';
import type { DiffSide, ImageDiff } from './image-diff.ts';

export interface DiffTextOptions {
  /** Whether the times of files and of the images count. */
  readonly times: boolean;
  /** Whether the steps that made them count. */
  readonly history: boolean;
  /** Every file is listed, however many there are. */
  readonly all: boolean;
  /** Of the screen; undefined where nothing is to be cut. */
  readonly columns: number | undefined;
}

/** More files than this are summed up by directories, of which so many are shown. */
const most = { files: 100, directories: 30 };

const marks = { added: '+', removed: '-', changed: '~' } as const;

/** What a person reads of what differs. */
export function diffText(found: ImageDiff, wanted: DiffTextOptions): string {
  const { a, b, config, files, history } = found;
  const steps = history === undefined ? [] : historyRows(history);
  const parts = [
    ...section('Configuration', config.map(configRow), wanted),
    ...section('History', steps, wanted),
    ...fileSection(files, wanted),
  ];
  const nothing = a.id === b.id ? 'They are the same image.\n' : sameButFor(wanted);
  return [headOf(found, wanted), ...(parts.length === 0 ? [nothing] : parts)].join('\n');
}

function headOf({ a, b, sharedLayers }: ImageDiff, { columns }: DiffTextOptions): string {
  const row = (mark: string, { name, id, layers }: DiffSide): string[] => [
    mark,
    id.slice(7, 19),
    `${layers} layer${layers === 1 ? '' : 's'}`,
    cleanName(name),
  ];
  const head = fitTable([row('-', a), row('+', b)], { columns, right: [] });
  const isAll = a.layers === sharedLayers && b.layers === sharedLayers;
  const shared = isAll ? 'all layers are the same' : `lowest layers that are the same: ${sharedLayers}`;
  return sharedLayers === 0 ? head : `${head}${shared}\n`;
}

function sameButFor({ times, history }: DiffTextOptions): string {
  const left = [...(times ? [] : ['--times']), ...(history ? [] : ['--history'])];
  const more = left.length === 0 ? '' : `; their ids differ, for which see ${left.join(' and ')}`;
  return `Configuration and files are the same${more}.\n`;
}

function section(title: string, rows: readonly string[][], { columns }: DiffTextOptions): string[] {
  return rows.length === 0 ? [] : [`${title}\n${fitTable(rows, { columns, right: [] })}`];
}

function configRow({ what, name, how, before, after }: Change): string[] {
  return [marks[how], `${cleanName(`${what} ${name}`)}  ${shownValue(how, before, after)}`];
}

function shownValue(how: Change['how'], before = '', after = ''): string {
  if (how === 'changed') return `${quote(before)} → ${quote(after)}`;
  return cleanName(how === 'added' ? after : before);
}

function quote(text: string): string {
  return text === '' ? "''" : cleanName(text);
}

function historyRows({ removed, added }: NonNullable<ImageDiff['history']>): string[][] {
  const row = (mark: string) => (step: (typeof removed)[number]) => [
    mark,
    cleanLine((step.created_by ?? '').replace(/\s+/g, ' ')),
  ];
  return [...removed.map(row('-')), ...added.map(row('+'))];
}

function fileSection(files: readonly FileChange[], wanted: DiffTextOptions): string[] {
  const count = (how: FileChange['how']): number => files.filter((file) => file.how === how).length;
  const title = `Files: ${count('added')} added, ${count('removed')} removed, ${count('changed')} changed`;
  if (wanted.all || files.length <= most.files) return section(title, files.map(fileRow), wanted);
  const rows = changedDirectories(files, most.directories).map(directoryRow);
  return [`${section(title, rows, wanted)}--all lists each of them.\n`];
}

function fileRow({ path, how, aspects, before, after }: FileChange): string[] {
  const state = (after ?? before)!;
  const text =
    how === 'changed' ? aspects.map((aspect) => aspectText(aspect, before!, after!)) : [about(state)];
  return [marks[how], `${pathOf(path, state.type === 'dir')}  ${text.join(', ')}`];
}

function about({ type, size, link }: FileState): string {
  if (type === 'symlink') return `→ ${cleanName(link ?? '')}`;
  if (type === 'file') return formatBytes(size);
  return type === 'dir' ? '' : type;
}

function aspectText(aspect: Aspect, before: FileState, after: FileState): string {
  if (aspect === 'xattrs') return xattrsText(before.xattrs, after.xattrs);
  const show: Readonly<Record<Exclude<Aspect, 'xattrs'>, (state: FileState) => string>> = {
    type: ({ type }) => type,
    content: ({ size }) => formatBytes(size),
    mode: ({ mode }) => mode,
    owner: ({ uid, gid }) => `${uid}:${gid}`,
    link: ({ link = '' }) => cleanName(link),
    device: ({ device = '' }) => device,
    time: ({ time }) => time,
  };
  const [from, to] = [show[aspect](before), show[aspect](after)];
  return from === to ? `${aspect} (${to})` : `${aspect} ${from} → ${to}`;
}

function xattrsText(before: FileState['xattrs'] = {}, after: FileState['xattrs'] = {}): string {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = names.filter((name) => before[name] !== after[name]);
  return `attributes ${changed.map(cleanName).join(' ')}`;
}

function directoryRow({ path, deep, added, removed, changed, bytes }: ChangedDirectory): string[] {
  const counts = [
    [marks.added, added],
    [marks.removed, removed],
    [marks.changed, changed],
  ] as const;
  const shown = counts.flatMap(([mark, count]) => (count === 0 ? [] : [`${mark}${count}`]));
  const size = bytes === 0 ? '' : `${bytes < 0 ? '-' : '+'}${formatBytes(Math.abs(bytes))}`;
  return [shown.join(' '), size, `${pathOf(path, true)}${deep ? '' : '*'}`];
}

function pathOf(path: string, isDirectory: boolean): string {
  return `/${cleanName(path)}${isDirectory && path !== '' ? '/' : ''}`;
}
