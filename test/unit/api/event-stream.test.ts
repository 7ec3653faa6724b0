import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventStream, farBehind } from '../../../src/api/event-stream.ts';
import type { BuildEvent } from '../../../src/core/events.ts';

const note = (text: string): BuildEvent => ({ type: 'note', at: 0, level: 'info', text });
const textOf = (event: BuildEvent): string => (event.type === 'note' ? event.text : event.type);

async function readAll(stream: AsyncIterable<BuildEvent>): Promise<string[]> {
  const texts: string[] = [];
  for await (const event of stream) texts.push(textOf(event));
  return texts;
}

describe('events of a build for its readers', () => {
  it('gives every reader what is told from its beginning on, and ends', async () => {
    const stream = eventStream();
    const first = readAll(stream);
    stream.tell(note('a'));
    const second = readAll(stream);
    stream.tell(note('b'));
    await turn();
    stream.tell(note('c'));
    stream.end();
    expect(await first).toEqual(['a', 'b', 'c']);
    expect(await second).toEqual(['b', 'c']);
    expect(await readAll(stream)).toEqual([]);
  });

  it('fails its readers with the error, behind what came before', async () => {
    const stream = eventStream();
    const texts: string[] = [];
    const reading = (async () => {
      for await (const event of stream) texts.push(textOf(event));
    })();
    stream.tell(note('a'));
    stream.end(new Error('it broke'));
    await expect(reading).rejects.toThrow('it broke');
    expect(texts).toEqual(['a']);
  });

  it('waits for a reader that is far behind, until it reads, leaves or is let go', async () => {
    for (const release of ['read', 'leave', 'let go'] as const) {
      const stream = eventStream();
      const reader = stream[Symbol.asyncIterator]();
      const first = reader.next();
      for (let n = 0; n < farBehind + 2; n += 1) stream.tell(note(String(n)));
      await first;
      let isWaiting = true;
      const room = stream.room().then(() => (isWaiting = false));
      await turn();
      expect(isWaiting, release).toBe(true);
      if (release === 'read') await reader.next();
      else if (release === 'leave') await reader.return?.();
      else stream.letGo();
      await room;
    }
  });

  it('waits for nobody where nobody reads', async () => {
    const stream = eventStream();
    for (let n = 0; n < 2 * farBehind; n += 1) stream.tell(note(String(n)));
    await stream.room();
  });
});
