import { describe, expect, it } from 'vitest';
import type { BuildEvent, StageShape } from '../../../src/core/events.ts';
import { openReporter } from '../../../src/report/reporter.ts';
import { fakeScreen, recorded } from './screen.ts';

const location = { file: 'Containerfile', startLine: 2, startColumn: 1, endLine: 3, endColumn: 4 };

function stage(id: string, needs: readonly string[], steps: readonly string[]): StageShape {
  return { id, name: id, platform: 'linux/amd64', base: 'x', needs, location, steps };
}

const begin: BuildEvent = {
  ...{ type: 'build-start', at: 0, id: 'b1', started: '2026-01-02T03:04:05.000Z' },
  ...{ file: 'Containerfile', context: '.', names: [], steps: 3 },
};
const graph: BuildEvent = {
  type: 'graph',
  at: 0,
  stages: [stage('0', [], ['0/1', '0/2']), stage('1', ['0'], ['1/2'])],
};

interface Line {
  readonly vertexes?: readonly Readonly<Record<string, unknown>>[];
  readonly statuses?: readonly Readonly<Record<string, unknown>>[];
  readonly logs?: readonly Readonly<Record<string, unknown>>[];
  readonly warnings?: readonly Readonly<Record<string, unknown>>[];
}

async function statuses(events: readonly BuildEvent[]): Promise<Line[]> {
  const screen = { ...fakeScreen(), epochMs: 1_000_000, read: () => 'ADD https://me:pw@x/ /\n' };
  const reporter = await openReporter('rawjson', screen);
  for (const event of events) reporter.event(event);
  reporter.close();
  const lines = screen.text().split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}

const digest = /^sha256:[0-9a-f]{64}$/;
const member: Readonly<Record<string, readonly string[]>> = {
  vertexes: ['digest', 'inputs', 'name', 'started', 'completed', 'cached', 'error', 'progressGroup'],
  statuses: ['id', 'vertex', 'name', 'total', 'current', 'timestamp', 'started', 'completed'],
  logs: ['vertex', 'stream', 'data', 'timestamp'],
  warnings: ['vertex', 'level', 'short', 'detail', 'url', 'sourceInfo', 'range'],
};

function decoded(text: unknown): string {
  return Buffer.from(String(text), 'base64').toString();
}

describe('rawjson', () => {
  it.each(['good', 'failing'])(
    'has the members that BuildKit knows, and vertexes before what is of them: %s',
    async (story) => {
      const known = new Set<unknown>();
      for (const line of await statuses(recorded(story))) {
        for (const [kind, things] of Object.entries(line)) {
          for (const thing of things as readonly Readonly<Record<string, unknown>>[]) {
            expect(Object.keys(thing).filter((name) => !member[kind]!.includes(name))).toEqual([]);
            if (kind === 'vertexes') known.add(thing.digest);
            else expect(known).toContain(thing.vertex);
          }
        }
      }
      for (const one of known) expect(one).toMatch(digest);
    },
  );

  it('ends every vertex that it begins', async () => {
    const open = new Map<unknown, boolean>();
    for (const { vertexes = [] } of await statuses(recorded('good')))
      for (const vertex of vertexes) open.set(vertex.digest, vertex.completed === undefined);
    expect([...open.values()].filter((isOpen) => isOpen)).toEqual([]);
  });

  it('tells what a step reads: the one before, and the last ones of the stages that its own needs', async () => {
    const start = (step: string): BuildEvent => ({ type: 'step-start', at: 5, step, name: step });
    const lines = await statuses([begin, graph, start('0/1'), start('0/2'), start('1/2')]);
    const [first, second, third] = lines.slice(1).map(({ vertexes }) => vertexes![0]!);
    expect(first).toEqual({
      digest: expect.stringMatching(digest),
      name: '0/1',
      started: '1970-01-01T00:16:40.005Z',
    });
    expect(second!.inputs).toEqual([first!.digest]);
    expect(third!.inputs).toEqual([second!.digest]);
  });

  it('tells how a step ended, in the words that readers look for', async () => {
    const ends = (['done', 'cached', 'failed', 'cancelled'] as const).flatMap((outcome): BuildEvent[] => [
      { type: 'step-start', at: 1, step: outcome, name: outcome },
      {
        type: 'step-end',
        at: 2,
        step: outcome,
        outcome,
        ...(outcome === 'failed' && { error: 'why\x1b[2J' }),
      },
    ]);
    const lines = await statuses([begin, ...ends]);
    const ended = lines.slice(1).flatMap(({ vertexes = [] }) => vertexes.filter((one) => 'completed' in one));
    expect(ended.map(({ cached, error }) => [cached, error])).toEqual([
      [undefined, undefined],
      [true, undefined],
      [undefined, 'why'],
      [undefined, 'context canceled'],
    ]);
  });

  it('carries logs, transfers and warnings with their source', async () => {
    const lines = await statuses([
      begin,
      { type: 'step-start', at: 1, step: '0/1', name: 'a' },
      { type: 'step-log', at: 2, step: '0/1', stream: 'stderr', text: 'ü\n' },
      { type: 'transfer', at: 3, id: 't', name: 'pulling x', done: 5, total: 9, state: 'running' },
      { type: 'transfer', at: 4, id: 't', name: 'pulling x', done: 9, total: 9, state: 'done' },
      { type: 'note', at: 5, level: 'warning', rule: 'R', text: 'w', hint: 'h', url: 'https://x', location },
    ]);
    const [definition, , { logs } = {}, running, done, { warnings } = {}] = lines;
    expect([logs![0]!.stream, decoded(logs![0]!.data)]).toEqual([2, 'ü\n']);
    expect(running!.vertexes).toHaveLength(1);
    expect(running!.statuses![0]).toMatchObject({ id: 'pulling x', total: 9, current: 5 });
    expect(done!.vertexes![0]).toHaveProperty('completed');
    expect(done!.statuses![0]).toMatchObject({ current: 9, completed: '1970-01-01T00:16:40.004Z' });
    const [{ short, detail, sourceInfo, ...rest }] = warnings as [Record<string, unknown>];
    expect([decoded(short), (detail as string[]).map(decoded)]).toEqual(['R: w (line 2)', ['h']]);
    const { data, ...file } = sourceInfo as { readonly data: string };
    expect([decoded(data), file]).toEqual([
      'ADD https://****@x/ /\n',
      { filename: 'Containerfile', language: 'Dockerfile' },
    ]);
    expect(rest).toEqual({
      ...{ vertex: definition!.vertexes![0]!.digest, level: 1, url: 'https://x' },
      range: [{ start: { line: 2 }, end: { line: 3 } }],
    });
  });
});
