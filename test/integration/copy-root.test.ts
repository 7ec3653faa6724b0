import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpenStore, openStore } from '../../cache/store.ts';
import type { Layer } from '../../src/core/types.ts';
import { skip } from '../support/skips.ts';
import { compareTrees, listTree } from '../support/trees.ts';

interface Case {
  readonly name: string;
  /** What a step does in its root. */
  readonly step: string;
}

const file = new URL('../../testdata/sandbox/changes.json', import.meta.url);
const cases = JSON.parse(readFileSync(file, 'utf8')) as Case[];

/** Layers, each made on top of the one before; all their times are before `epoch`. */
const scripts = [
  `mkdir -p etc usr/bin usr/lib/deep opt was/deep hidden/a; printf conf >etc/conf; echo tool >usr/bin/tool
   echo a >usr/lib/a; echo b >usr/lib/deep/b; ln -s ../etc usr/link; echo 1 >opt/one; ln opt/one opt/two
   echo m >opt/marked; setfattr -n user.kept -v yes opt/marked; echo 1 >gone; echo 1 >was/deep/0; echo 1 >hidden/a/1
   chown 10:20 opt/marked; chmod 4711 opt/marked; truncate -s 3M opt/hole; echo >"$(printf 'odd\\376')"; mkfifo opt/fifo`,
  `rm gone; rm -r was hidden/a; mkdir hidden/a; echo 2 >hidden/a/2; chmod 750 usr/lib; echo A >usr/lib/A`,
  'echo 3 >usr/lib/C; chown -R 30:40 usr/lib/deep; mknod opt/null c 1 3',
];
const epoch = 1_000_000;
const old = '; find . -newermt @1000000 -exec touch -h -d @1000 {} +';
const signal = new AbortController().signal;
const root = { mode: 0o755, uid: 0, gid: 0 };

describe.skipIf(skip('copies of root filesystems', { root: true, programs: ['setfattr', 'setcap', 'perl'] }))(
  'a copy of a root filesystem',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'copy-root-'));
    const layers: Layer[] = [];
    let store: OpenStore;

    beforeAll(async () => {
      const fetch = () => Promise.reject(new Error('nothing is fetched here'));
      store = await openStore(join(folder, 'store'), { fetch, mapping: 'root' });
      for (const script of scripts) layers.push(await onOverlay(`${script}${old}`));
    });

    afterAll(async () => {
      await store[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    it.each(cases)('$name', async ({ step }) => {
      const [overlay, copy] = [await onOverlay(step), await onCopy(step)];
      expect(await linesOf(copy)).toEqual(await linesOf(overlay));
      expect((await store.layers.clamp(copy, epoch)).diffId).toBe(
        (await store.layers.clamp(overlay, epoch)).diffId,
      );
    });

    it('is what an overlay shows', async () => {
      const merged = await mounted('cp -a --sparse=always . "$0"', join(folder, 'merged'));
      await using copy = await store.copies.hold(layers, { root, signal });
      const shown = await listTree(merged);
      expect(compareTrees(await listTree(copy.path), shown, [...aspectsWithTime])).toEqual([]);
      expect(statSync(join(copy.path, 'opt/hole')).blocks).toBe(0);
    });

    it('serves the next step of a stage', async () => {
      const first = await grown(layers, 'echo 1 >one; rm -r usr/lib; mkdir usr/lib');
      const second = await grown([...layers, first.layer], 'cat one; echo 2 >usr/lib/two');
      expect(second.path).toBe(first.path);
      const all = [...layers, first.layer, second.layer];
      await using anew = await store.copies.hold([...all, await onOverlay('touch -d @5000 last')], {
        root,
        signal,
      });
      expect(anew.path).toBe(first.path);
      await using another = await store.copies.hold(all, { root, signal });
      expect(another.path).not.toBe(first.path);
      const only = compareTrees(await listTree(anew.path), await listTree(another.path), aspectsWithTime);
      // No layer says when the root itself changed.
      expect(only.filter((line) => !line.startsWith('/: mtime'))).toEqual(['/last: only in the first']);
    });

    it('refuses a device that means a deletion', async () => {
      await expect(onCopy('mknod etc/gone c 0 0')).rejects.toMatchObject({ code: 'layer' });
    });

    it('is not changed by what was moved aside and back, by whatever name', async () => {
      const aside = (
        meanwhile: string,
      ) => `touch -r opt/one ../file; touch -r opt ../folder; mv opt/one ../kept
        ${meanwhile}; mv ../kept opt/one; touch -r ../folder opt; rm ../file ../folder`;
      const touched = ['opt', 'opt/one'];
      expect(await linesOf(await onCopy(aside('true'), touched))).toEqual([]);
      const changed = await onCopy(aside('echo 2 >opt/two; touch -r ../file opt/two'), touched);
      expect((await linesOf(changed)).map((line) => line.replace(/ \{.*/, ''))).toEqual([
        'dir opt',
        'file opt/one',
        'hardlink opt/two',
      ]);
    });

    it('takes no mark from a step', async () => {
      const layer = await onCopy(
        'setfattr -n user.overlay.opaque -v y usr/lib; mkdir n; setfattr -n user.overlay.opaque -v y n',
      );
      expect(await linesOf(layer)).toEqual(
        ['dir n', 'dir usr', 'dir usr/lib'].map((line) => expect.stringContaining(line)),
      );
    });

    async function grown(below: readonly Layer[], step: string) {
      await using copy = await store.copies.hold(below, { root, signal });
      const layer = await changesOf(copy, step);
      copy.becomes(layer);
      return { path: copy.path, layer };
    }

    async function onCopy(step: string, touched: readonly string[] = []): Promise<Layer> {
      await using copy = await store.copies.hold(layers, { root, signal });
      return await changesOf(copy, step, touched);
    }

    async function changesOf(
      copy: Awaited<ReturnType<OpenStore['copies']['hold']>>,
      step: string,
      touched: readonly string[] = [],
    ) {
      execFileSync('sh', ['-ec', step], { cwd: copy.path });
      const scratch = mkdtempSync(join(folder, 'step-'));
      await copy.moveChanges(join(scratch, 'upper'), { touched, signal });
      return await store.layers.commitUpper(join(scratch, 'upper'), { residue: [], below: [rootEntry] });
    }

    async function onOverlay(step: string): Promise<Layer> {
      const scratch = mkdtempSync(join(folder, 'step-'));
      await mounted(step, scratch, scratch);
      const lower = (await trees()).toReversed();
      return await store.layers.commitUpper(join(scratch, 'upper'), {
        residue: [],
        below: [rootEntry],
        lower,
      });
    }

    function trees(): Promise<string[]> {
      return Promise.all(layers.map((layer) => store.layers.tree(layer)));
    }

    /** Runs `step` in the overlay of all layers, with `argument`; gives that. */
    async function mounted(step: string, argument: string, scratch = mkdtempSync(join(folder, 'overlay-'))) {
      const [upper, work, merged, empty] = ['upper', 'work', 'merged', 'empty'].map((name) =>
        join(scratch, name),
      );
      for (const path of [upper!, work!, merged!, empty!]) mkdirSync(path);
      const lower = [...(await trees()).toReversed(), empty].join(':');
      const options = `lowerdir=${lower},upperdir=${upper},workdir=${work},index=off,userxattr,metacopy=off,redirect_dir=nofollow`;
      const script = `mount -t overlay overlay -o "$1" "$2"; cd "$2"; sh -ec "$3" "$4"`;
      execFileSync('unshare', ['--mount', 'sh', '-ec', script, 'sh', options, merged!, step, argument]);
      return argument;
    }

    async function linesOf(layer: Layer): Promise<string[]> {
      return (await store.layers.listing(layer)).map(
        ({ type, path, mtime: _, digest: __, ...rest }) => `${type} ${path} ${JSON.stringify(rest)}`,
      );
    }
  },
);

const aspectsWithTime = ['type', 'mode', 'uid', 'gid', 'content', 'sameAs', 'xattrs', 'mtime'] as const;

const rootEntry = { path: '', type: 'dir', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 } as const;
