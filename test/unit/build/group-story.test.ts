import { expect, it } from 'vitest';
import { groupStory } from '../../../src/build/group-story.ts';
import type { EventBody, StageShape } from '../../../src/core/events.ts';

const range = { file: 'Containerfile', startLine: 1, startColumn: 1, endLine: 1, endColumn: 2 };
const stage: StageShape = {
  id: '1',
  name: 'build',
  platform: 'linux/amd64',
  base: 'alpine',
  needs: ['0'],
  location: range,
  steps: ['1/2'],
};
const begin = (id: string, steps: number): EventBody => ({
  type: 'build-start',
  id,
  started: '2025-01-01T00:00:00.000Z',
  file: `${id}/Containerfile`,
  context: `/${id}`,
  names: [`${id}:latest`],
  steps,
});
const end: Extract<EventBody, { type: 'build-end' }> = {
  type: 'build-end',
  outcome: 'done',
  steps: 1,
  cached: 0,
  received: 0,
  sent: 0,
};

function story(names: readonly string[]) {
  const told: EventBody[] = [];
  return { told, ...groupStory(names, { context: '/here', emit: (event) => void told.push(event) }) };
}

it('has one begin, one picture and one end, and the names of targets in front', () => {
  const { told, emitFor, end: finish } = story(['app', 'web']);
  const [app, web] = [emitFor('app'), emitFor('web')];
  app(begin('one', 2));
  app({ type: 'graph', stages: [stage] });
  app({ type: 'step-start', step: '0/1', name: '[1/2] FROM alpine', location: range });
  expect(told).toEqual([]);
  web(begin('two', 3));
  web({ type: 'graph', stages: [{ ...stage, needs: [] }] });
  web({ type: 'step-start', step: '0/1', name: '[linux/arm64 build 1/2] RUN x' });
  web({ type: 'graph', stages: [{ ...stage, needs: [], steps: ['1/2', '1/3'] }] });
  app({ type: 'step-log', step: '0/1', stream: 'stdout', text: 'x\n' });
  app({ type: 'step-end', step: '0/1', outcome: 'cached' });
  web({ type: 'step-end', step: '0/1', outcome: 'done' });
  app({ type: 'transfer', id: 'a', name: 'a', done: 5, state: 'done', way: 'in' });
  app(end);
  web(end);
  finish('done');
  expect(told).toEqual([
    {
      ...begin('one', 5),
      context: '/here',
      file: 'one/Containerfile, two/Containerfile',
      names: ['one:latest', 'two:latest'],
    },
    {
      type: 'graph',
      stages: [
        { ...stage, id: 'app/1', name: 'app build', needs: ['app/0'], steps: ['app/1/2'] },
        { ...stage, id: 'web/1', name: 'web build', needs: [], steps: ['web/1/2'] },
      ],
    },
    { type: 'step-start', step: 'app/0/1', name: '[app 1/2] FROM alpine', location: range },
    { type: 'step-start', step: 'web/0/1', name: '[web linux/arm64 build 1/2] RUN x' },
    {
      type: 'graph',
      stages: [{ ...stage, id: 'web/1', name: 'web build', needs: [], steps: ['web/1/2', 'web/1/3'] }],
    },
    { type: 'step-log', step: 'app/0/1', stream: 'stdout', text: 'x\n' },
    { type: 'step-end', step: 'app/0/1', outcome: 'cached' },
    { type: 'step-end', step: 'web/0/1', outcome: 'done' },
    { type: 'transfer', id: 'a', name: 'a', done: 5, state: 'done', way: 'in' },
    { type: 'build-end', outcome: 'done', steps: 2, cached: 1, received: 5, sent: 0 },
  ]);
});

it('says once what two targets are warned of, and why it failed', () => {
  const { told, emitFor, end: finish } = story(['app', 'web']);
  for (const name of ['app', 'web']) {
    emitFor(name)(begin(name, 1));
    emitFor(name)({ type: 'graph', stages: [] });
    emitFor(name)({ type: 'note', level: 'warning', text: 'old' });
  }
  emitFor('web')({ type: 'note', level: 'warning', text: 'other' });
  emitFor('web')({ ...end, outcome: 'failed', error: { code: 'run-failed', message: 'no' } });
  emitFor('app')({ ...end, outcome: 'cancelled' });
  finish('failed');
  expect(told.flatMap((event) => (event.type === 'note' ? [event.text] : []))).toEqual(['old', 'other']);
  expect(told.at(-1)).toMatchObject({ outcome: 'failed', error: { message: 'no' } });
});

it('tells at its end what waited for a target that never began', () => {
  const { told, emitFor, end: finish } = story(['app', 'web']);
  emitFor('app')({ type: 'note', level: 'info', text: 'something' });
  finish('failed');
  expect(told).toEqual([{ type: 'note', level: 'info', text: 'something' }]);
});
