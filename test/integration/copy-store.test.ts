import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openContext } from '../../builder/context/local.ts';
import { selectFiles } from '../../builder/steps/copy.ts';
import { type OpenStore, openStore } from '../../cache/store.ts';
import { skip } from '../support/skips.ts';
import { caseNames, checkCase, readCase } from '../unit/builder/copy-case.ts';
import { makeFiles } from '../unit/builder/entry-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'copy-store-'));
let store: OpenStore;

beforeAll(async () => {
  const fetch = () => Promise.reject(new Error('nothing is fetched here'));
  store = await openStore(join(folder, 'store'), { fetch, mapping: 'root' });
});

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(skip('COPY on the real store', { root: true }))(
  'COPY, ADD and WORKDIR on the real store',
  () => {
    it.each(caseNames)('%s', async (name) => {
      await checkCase(readCase(name), store);
    });
  },
);

describe('a layer of COPY', () => {
  const context = join(folder, 'context');
  const input = {
    kind: 'copy' as const,
    sources: ['.'],
    heredocs: [],
    destination: '/app/',
    workdir: '/',
    chown: '12:34',
    link: false,
  };

  async function copy() {
    const source = {
      kind: 'context' as const,
      context: openContext(context, { statCache: store.statCache(context) }),
    };
    const selection = await selectFiles(input, source, { store, emit: () => {} });
    return { selection, source };
  }

  it('is what tar reads from it', async () => {
    makeFiles(context, [
      'f 4755 d/run = #!',
      'f d/odd name = 1',
      'h d/same => d/run',
      'l d/link -> ../../x',
      'd 1777 t',
    ]);
    const { selection, source } = await copy();
    const writer = await store.layers.writer();
    await selection.write([], writer);
    const layer = await writer.commit();
    await source.context.save();
    const chunks: Buffer[] = [];
    for await (const chunk of store.layers.tar(layer)) chunks.push(Buffer.from(chunk));
    const listed = execFileSync('tar', ['-tvf', '-', '--numeric-owner'], {
      input: Buffer.concat(chunks),
      encoding: 'utf8',
    });
    const lines = listed
      .trim()
      .split('\n')
      .map((line) => line.replace(/ +\d+ \d{4}-\d\d-\d\d \d\d:\d\d/, ''));
    expect(lines).toEqual([
      'drwxr-xr-x 12/34 app/',
      'drwxr-xr-x 12/34 app/d/',
      'lrwxrwxrwx 12/34 app/d/link -> ../../x',
      '-rw-r--r-- 12/34 app/d/odd name',
      '-rwsr-xr-x 12/34 app/d/run',
      'hrwsr-xr-x 12/34 app/d/same link to app/d/run',
      'drwxrwxrwt 12/34 app/t/',
    ]);
  });

  it('needs no reading once its files are old enough to be trusted', async () => {
    await vi.waitFor(
      async () => {
        const { selection, source } = await copy();
        await selection.contentKey();
        await source.context.save();
        expect(selection.unreadBytes).toBe(0);
      },
      { timeout: 20_000, interval: 100 },
    );
  });
});
