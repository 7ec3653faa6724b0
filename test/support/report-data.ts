import type { Digest } from '../../src/core/digest.ts';
import type { BuildEvent, Explanation, StageShape } from '../../src/core/events.ts';
import type { ImageReport, ReportData, StepReport, TreeNode } from '../../src/report/html/report-data.ts';

/** What a hostile build writes wherever it can. */
export const hostile = `</script><img src=x onerror="alert(1)">'"&</pre></title>\u001b[31m\u202e`;

export function stage(id: string, needs: readonly string[] = [], base = 'alpine'): StageShape {
  const location = { file: 'Containerfile', startLine: 1, startColumn: 1, endLine: 1, endColumn: 5 };
  return { id, name: `stage${id}`, platform: 'linux/amd64', base, needs, location, steps: [] };
}

/** A step of stage `id.split('/')[0]` that ran from one time to another. */
export function step(id: string, startedAt: number, endedAt: number): StepReport {
  return {
    ...{ id, startedAt, endedAt, outcome: 'done', spans: [], text: `RUN step ${id}` },
    stage: id.slice(0, id.lastIndexOf('/')),
    place: `stage${id.replace('/', ' ')}`,
  };
}

export function file(name: string, bytes: number, more: Partial<TreeNode> = {}): TreeNode {
  return { name, bytes, type: 'file', change: 'added', files: 1, lost: 0, children: [], ...more };
}

export function folder(name: string, children: readonly TreeNode[], more: Partial<TreeNode> = {}): TreeNode {
  const sum = (value: (node: TreeNode) => number): number =>
    children.reduce((total, child) => total + value(child), 0);
  return {
    ...{ name, type: 'dir', change: 'added', children },
    ...{ bytes: sum(({ bytes }) => bytes), files: sum(({ files }) => files), lost: sum(({ lost }) => lost) },
    ...more,
  };
}

export const someDigest: Digest = `sha256:${'ab'.repeat(32)}`;

/** A report of a build of one stage, with what a test is about besides. */
export function reportOf(more: Partial<ReportData> = {}): ReportData {
  return {
    build: {
      ...{ id: '20261129-120000000-abcdef', started: '2026-11-29T12:00:00.000Z', file: 'Containerfile' },
      ...{ context: '/work', names: ['docker.io/library/shop:latest'], outcome: 'done', tookMs: 1000 },
      ...{ steps: 1, cached: 0, received: 0, sent: 0, image: someDigest },
    },
    ...{ stages: [stage('0')], steps: [step('0/1', 0, 1000)], transfers: [], spans: [], warnings: [] },
    ...{ images: [], sources: {} },
    ...more,
  };
}

export function buildStart(more: Partial<Extract<BuildEvent, { type: 'build-start' }>> = {}): BuildEvent {
  return {
    ...{ type: 'build-start', at: 0, id: 'x', started: '2026-11-29T12:00:00.000Z', file: 'Containerfile' },
    ...{ context: '/work', names: [], steps: 1 },
    ...more,
  };
}

/** A report in which every text is hostile. */
export function hostileReport(): ReportData {
  const location = { file: hostile, startLine: 1, startColumn: 2, endLine: 2, endColumn: 3 };
  const tree = folder('', [file(hostile, 10), folder(hostile, [file('a', 1, { lost: 1 })])]);
  const change = { what: hostile, name: hostile, how: 'changed', before: hostile, after: hostile } as const;
  const explanation: Explanation = { reason: 'changed', changes: [change], advice: [hostile] };
  const error = { code: 'run-failed' as const, message: hostile, hint: hostile, location };
  const { build } = reportOf();
  return reportOf({
    build: {
      ...build,
      ...{ id: hostile, started: hostile, file: hostile, context: hostile, target: hostile },
      ...{ names: [hostile, hostile], outcome: 'failed', error, received: 5 },
    },
    stages: [{ ...stage('0'), name: hostile, base: hostile, location }, stage('1', ['0'])],
    steps: [
      {
        ...step(`0/${hostile}`, 0, 500),
        ...{ place: hostile, text: hostile, location, outcome: 'failed', error: hostile, explanation, tree },
        ...{ stage: '0', log: { head: hostile, tail: hostile, hidden: 9 } },
      },
      step('1/1', 500, 900),
    ],
    transfers: [{ name: hostile, startedAt: 0, endedAt: 5, bytes: 1, state: 'failed', way: 'in' }],
    spans: [{ what: 'push', startedAt: 900, endedAt: 1000 }],
    warnings: [{ text: hostile, rule: hostile, description: hostile, hint: hostile, url: hostile, location }],
    images: [imageOf(tree)],
    sources: { [hostile]: `${hostile}\n${hostile}` },
  });
}

function imageOf(tree: ReturnType<typeof folder>): ImageReport {
  const path = [{ path: hostile, bytes: 5 }];
  return {
    ...{ title: hostile, id: someDigest, platform: hostile, bytes: 20, lost: 1 },
    layers: [
      { diffId: someDigest, createdBy: hostile, step: '0/1', tree },
      { diffId: someDigest, createdBy: '' },
    ],
    ...{ biggestFiles: path, biggestFolders: path },
    losses: [{ path: hostile, bytes: 5, how: 'removed', layer: 0, by: 1 }],
  };
}

/** Steps of ten stages, each with a log of half a megabyte and a layer of a thousand files. */
export function bigBuild(count: number): Partial<ReportData> {
  const log = `${'compiling <unit> && "more"\n'.repeat(5000)}last line\n`;
  const files = Array.from({ length: 1000 }, (_, i) => file(`file-${String(i).padStart(3, '0')}`, 1000 - i));
  const tree = folder('', [folder('usr', [folder('lib', files), folder('share', files)])]);
  const changes = files.slice(0, 50).map(({ name }) => ({
    ...{ what: 'file', name: `src/a/rather/deep/folder/of/sources/${name}`, aspect: 'content' },
    how: 'changed' as const,
  }));
  const sources = {
    Containerfile: 'RUN apt-get update && apt-get install -y a b c && rm -rf /x\n'.repeat(count),
  };
  const steps = Array.from({ length: count }, (_, i): StepReport => {
    const location = {
      file: 'Containerfile',
      startLine: i + 1,
      startColumn: 1,
      endLine: i + 1,
      endColumn: 40,
    };
    return {
      ...step(`${i % 10}/${Math.floor(i / 10) + 1}`, i * 100, i * 100 + 90),
      ...{ location, tree, diffId: someDigest, log: { head: log, tail: '', hidden: 0 } },
      explanation: {
        reason: 'changed',
        changes,
        advice: ['Copy the manifests of packages before the sources.'],
      },
    };
  });
  const stages = Array.from({ length: 10 }, (_, i) => stage(String(i), i === 0 ? [] : [String(i - 1)]));
  const image = {
    ...imageOf(tree),
    layers: steps.map(({ id }) => ({ diffId: someDigest, createdBy: 'RUN x', step: id, tree })),
  };
  return { steps, stages, sources, images: [image] };
}
