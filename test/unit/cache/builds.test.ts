import { existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenBuild } from '../../../src/core/remembered.ts';
import { type Bench, bench } from './open.ts';

describe('builds that are remembered', () => {
  let place: Bench;
  beforeEach(async () => {
    place = await bench();
  });
  afterEach(() => place[Symbol.asyncDispose]());

  it('gives back events without output, texts, and how it ended', () => {
    const { builds } = place.store;
    const build = begin({ Containerfile: 'FROM scratch\n' });
    build.event({ type: 'step-log', at: 1, step: '0/2', stream: 'stdout', text: 'secret' });
    build.event({ type: 'build-end', at: 7, outcome: 'failed', ...counts });
    build[Symbol.dispose]();
    expect(builds.events(build.id).map(({ type }) => type)).toEqual(['build-start', 'build-end']);
    expect(builds.sources(build.id)).toEqual({ Containerfile: 'FROM scratch\n' });
    expect(builds.find()).toMatchObject({ id: build.id, outcome: 'failed', tookMs: 7, names: ['app'] });
    expect(builds.find(build.id.slice(-6))?.id).toBe(build.id);
    expect(builds.find(build.id.slice(0, 9))?.id).toBe(build.id);
    expect(builds.find('nothing')).toBeUndefined();
  });

  it('skips a line that was half written, and a folder that holds no build', () => {
    const { builds } = place.store;
    const build = begin({});
    build[Symbol.dispose]();
    writeFileSync(join(builds.folder(build.id), 'events.jsonl'), '{"type":"graph","at":1,"stages":[]}\n{"ty');
    mkdirSync(builds.folder('zz'));
    expect(builds.events(build.id)).toEqual([{ type: 'graph', at: 1, stages: [] }]);
    expect(builds.list().map(({ id }) => id)).toEqual([build.id]);
  });

  it('forgets the oldest beyond a hundred, and none that runs', () => {
    const { builds } = place.store;
    const running = begin({});
    const others = Array.from({ length: 110 }, () => {
      const build = begin({});
      build[Symbol.dispose]();
      return build.id;
    });
    const kept = builds.list().map(({ id }) => id);
    expect(kept).toContain(running.id);
    expect(kept).toHaveLength(101);
    expect(kept[0]).toBe(others.sort().at(-1));
    running[Symbol.dispose]();
  });

  it('forgets the oldest where their logs take up too much, and never the newest', () => {
    const { builds } = place.store;
    const big = begin({});
    writeFileSync(join(builds.folder(big.id), '0-2.log'), '');
    sparse(join(builds.folder(big.id), '0-2.log'), 600e6);
    big[Symbol.dispose]();
    expect(builds.list().map(({ id }) => id)).toEqual([big.id]);
    const next = begin({});
    sparse(join(builds.folder(next.id), '0-2.log'), 2e6);
    next[Symbol.dispose]();
    expect(builds.list().map(({ id }) => id)).toEqual([next.id]);
    expect(readdirSync(join(place.root, 'store/builds/v1'))).toHaveLength(1);
  });

  it('keeps the steps that failed of the last three builds, and does not weigh them with the logs', () => {
    const { builds } = place.store;
    const ids = Array.from({ length: 5 }, (_, at) => {
      const build = begin({});
      const failed = join(builds.folder(build.id), 'failed');
      if (at !== 2) mkdirSync(join(failed, 'upper'), { recursive: true });
      if (at !== 2) sparse(join(failed, 'upper/big'), 600e6);
      build[Symbol.dispose]();
      return build.id;
    });
    const kept = ids.map((id) => existsSync(join(builds.folder(id), 'failed')));
    expect(builds.list()).toHaveLength(5);
    expect(kept).toEqual([false, true, false, true, true]);
  });

  const counts = { steps: 2, cached: 1, received: 0, sent: 0 };

  function begin(texts: Record<string, string>): OpenBuild {
    const build = place.store.builds.begin(new Map(Object.entries(texts)));
    const { id } = build;
    const started = new Date().toISOString();
    build.event({
      type: 'build-start',
      at: 0,
      id,
      started,
      file: 'Containerfile',
      context: '/',
      names: ['app'],
      steps: 1,
    });
    return build;
  }
});

function sparse(file: string, bytes: number): void {
  writeFileSync(file, '');
  truncateSync(file, bytes);
}
