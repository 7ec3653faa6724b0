import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { EventBody } from '../../../src/core/events.ts';
import { gate } from '../../../src/core/gates.ts';
import { timed, timedGate } from '../../../src/core/spans.ts';

function told() {
  const events: EventBody[] = [];
  return { events, emit: (event: EventBody) => void events.push(event) };
}

describe('spans', () => {
  it('are told when the work ends, also where it fails', async () => {
    const { events, emit } = told();
    await timed(emit, 'run', () => pause(5));
    const failing = timed(emit, 'unpack', async () => {
      await pause(5);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(events.map((event) => event.type === 'span' && event.what)).toEqual(['run', 'unpack']);
  });

  it('tell nothing of what took no time', async () => {
    const { events, emit } = told();
    await timed(emit, 'wait', async () => {});
    expect(events).toEqual([]);
  });

  it('tell how long a task waited for its turn, not how long it took', async () => {
    const { events, emit } = told();
    const turn = timedGate(gate(1), emit);
    await Promise.all([turn(() => pause(5)), turn(async () => void emit({ type: 'graph', stages: [] }))]);
    expect(events.map(({ type }) => type)).toEqual(['span', 'graph']);
  });
});
