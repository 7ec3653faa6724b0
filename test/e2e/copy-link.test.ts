import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLayout } from '../support/oci-layout.ts';
import { skip } from '../support/skips.ts';
import { buildLayout, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

const words = '--parents --exclude=**/no --chown=5:6 d/*';

describe.skipIf(skip('COPY --link', { root: true, programs: ['skopeo'] }))('COPY --link', () => {
  let tsbuild: AsyncDisposable & Tsbuild;
  beforeAll(async () => {
    tsbuild = await newTsbuild('root');
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  it.each([
    ['the context', '', ''],
    ['a stage', 'FROM scratch AS other\nCOPY d /d\n', '--from=other '],
  ])('of %s is reused on another base', async (name, stage, from) => {
    const cwd = join(tsbuild.folder, name.replace(' ', '-'));
    mkdirSync(join(cwd, 'd/e'), { recursive: true });
    for (const file of ['d/e/a', 'd/e/no', 'base']) writeFileSync(join(cwd, file), `${name} ${file}`);
    const build = async (below: string) => {
      const text = `${stage}FROM scratch\n${below}COPY --link ${from}${words} /x/\n`;
      writeFileSync(join(cwd, 'Containerfile'), text);
      const { stderr } = await tsbuild.run(['build', '--progress=plain', '.'], { cwd });
      const layout = await buildLayout(tsbuild, ['.'], { cwd, name: `${name.length}-${below.length}` });
      return { end: endOf('COPY --link', stderr), layer: readLayout(layout).config.rootfs.diff_ids.at(-1) };
    };
    const first = await build('');
    const second = await build('COPY base /\n');
    expect([first.end, second.end]).toEqual([expect.stringMatching(/^DONE/), 'CACHED']);
    expect(second.layer).toBe(first.layer);
  });
});

/** What is said of the step whose name holds `words`. */
function endOf(words: string, progress: string): string | undefined {
  const lines = progress.split('\n');
  const number = /^#\d+ /.exec(lines.find((line) => line.includes(words)) ?? '')?.[0] ?? '#0 ';
  return lines
    .filter((line) => line.startsWith(number))
    .at(-1)
    ?.slice(number.length);
}
