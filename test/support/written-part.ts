import { readFileSync, writeFileSync } from 'node:fs';

const begin = '<!-- written by the tests: TSBUILD_TEST_WRITE=1 -->';
const end = '<!-- end -->';

/**
 * What a page holds between its marks, and whether that is `wanted`; with TSBUILD_TEST_WRITE=1 it is put there. A page
 * has one such part.
 */
export function writtenPart(file: string, wanted: string): string {
  const page = readFileSync(file, 'utf8');
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no part between ${begin} and ${end}`);
  const start = from + begin.length;
  if (process.env.TSBUILD_TEST_WRITE !== '1') return page.slice(start, to).trim();
  writeFileSync(file, `${page.slice(0, start)}\n\n${wanted.trim()}\n\n${page.slice(to)}`);
  return wanted.trim();
}
