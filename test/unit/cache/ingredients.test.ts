import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openIngredients } from '../../../cache/ingredients.ts';
import { prune } from '../../../cache/prune.ts';
import { notePruned } from '../../../cache/pruned.ts';
import { type Digest, digestOf, hexOf } from '../../../src/core/digest.ts';
import { bench } from './open.ts';

const key = digestOf('a step');
const ingredients = { below: [], first: { step: 'run' }, made: [], facts: {} };
const list = (text: string) => ({ of: digestOf(text), text, tops: ['src'] });
const result = { layer: { diffId: digestOf('layer'), own: true }, created: '2026-01-01T00:00:00Z' };

describe('ingredients', () => {
  it('are kept by key, and lists of files by what they stand for', async () => {
    await using b = await bench();
    const { ingredients: kept } = b.store;
    expect([kept.find(key), kept.list(digestOf('files'))]).toEqual([undefined, undefined]);
    kept.put(key, ingredients, [list('files')]);
    expect(kept.find(key)).toEqual({ ...ingredients, tops: { [digestOf('files')]: ['src'] } });
    expect(kept.list(digestOf('files'))?.toString()).toBe('files');
  });

  it('count as absent where they are damaged', async () => {
    await using b = await bench();
    const file = b.store.home.path('ingredients', `${hexOf(key)}.json`);
    b.store.ingredients.put(key, ingredients, []);
    for (const text of ['{"below":[', '{"below":[],"made":[]}', 'null', '[]']) {
      writeFileSync(file, text);
      expect(b.store.ingredients.find(key)).toBeUndefined();
    }
    expect(b.warnings).toEqual([]);
  });

  it('fail no build where nothing can be written', async () => {
    await using b = await bench();
    writeFileSync(`${b.store.root}/ingredients`, 'in the way');
    b.store.ingredients.put(key, ingredients, [list('files')]);
    expect(b.store.ingredients.find(key)).toBeUndefined();
  });

  it('stay within a bound: what explains nothing any more goes first, then what was used longest ago', async () => {
    await using b = await bench();
    const { home, records } = b.store;
    const kept = openIngredients(home);
    await records.put(key, result, {});
    kept.put(key, ingredients, []);
    kept.put(digestOf('gone'), ingredients, []);
    const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(2e7));
    kept.put(key, ingredients, texts.map(list));
    for (const [i, text] of texts.entries()) utimesSync(fileOf(home, text), i + 1, i + 1);
    const old = home.path('ingredients', `${hexOf(key)}.json`);
    utimesSync(old, 5, 5);
    kept.settle();
    const isThere = (text: string) => existsSync(fileOf(home, text));
    expect(texts.map(isThere)).toEqual([false, false, true, true]);
    expect([kept.find(digestOf('gone')), kept.find(key)]).toEqual([undefined, expect.anything()]);
  });

  it('outlive what is pruned, of which it is known when', async () => {
    await using b = await bench();
    await b.store.records.put(key, result, {});
    b.store.ingredients.put(key, ingredients, []);
    expect(b.store.ingredients.prunedAt(key)).toBeUndefined();
    const other = await later(b);
    prune(other, { all: true });
    expect(other.records.find(key)).toEqual([]);
    expect(other.ingredients.find(key)).toBeDefined();
    expect(Date.parse(other.ingredients.prunedAt(key)!)).toBeGreaterThan(Date.now() - 60_000);
    prune(other, { everything: true });
    expect([other.ingredients.find(key), other.ingredients.prunedAt(key)]).toEqual([
      undefined,
      expect.any(String),
    ]);
  });

  it('are not told to be pruned for ever: of very much, the older half is forgotten', async () => {
    await using b = await bench();
    const names = (round: number) => Array.from({ length: 4000 }, (_, i) => hexOf(digestOf(`${round} ${i}`)));
    for (const round of [1, 2, 3, 4, 5]) notePruned(b.store.home, names(round));
    const at = (round: number) => b.store.ingredients.prunedAt(`sha256:${names(round)[0]}` as Digest);
    expect([at(1), at(5)]).toEqual([undefined, expect.any(String)]);
    expect(readFileSync(b.store.home.path('ingredients', 'pruned')).length).toBeLessThan(1.3e6);
    expect(readdirSync(b.store.home.path('ingredients', ''))).toEqual(['pruned']);
  });
});

function fileOf(home: Awaited<ReturnType<typeof bench>>['store']['home'], text: string): string {
  return home.path('ingredients', `${hexOf(digestOf(text))}.list`);
}

/** The store as a process opens it that did not use anything of it. */
async function later(b: Awaited<ReturnType<typeof bench>>) {
  await b.store[Symbol.asyncDispose]();
  return await b.reopen();
}
