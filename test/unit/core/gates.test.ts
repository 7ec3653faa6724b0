import { expect, it } from 'vitest';
import { allOrNone } from '../../../src/core/gates.ts';

it('does all of it in order, no more at once than was said', async () => {
  let [running, most] = [0, 0];
  const done = await allOrNone([3, 1, 2, 0], { width: 2 }, async (n) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, n));
    running -= 1;
    return n * 2;
  });
  expect([done, most]).toEqual([[6, 2, 4, 0], 2]);
});

it('ends the others when one fails, and waits for them', async () => {
  const ended: string[] = [];
  const all = allOrNone(['bad', 'slow'], { width: 2 }, async (name, signal) => {
    if (name === 'bad') throw new Error('bad');
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await new Promise((resolve) => setImmediate(resolve));
    ended.push(name);
  });
  await expect(all).rejects.toThrow('bad');
  expect(ended).toEqual(['slow']);
});

it('hands on the signal of the whole', async () => {
  const stop = new AbortController();
  const all = allOrNone([1], { width: 1, signal: stop.signal }, async (_, signal) => {
    stop.abort(new Error('stopped'));
    signal.throwIfAborted();
  });
  await expect(all).rejects.toThrow('stopped');
});
