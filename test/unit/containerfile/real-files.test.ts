import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { graphOf } from '../../../src/containerfile/graph.ts';
import { parseAll } from '../../../src/containerfile/parse.ts';
import type { Containerfile, GraphStage, StageGraph } from '../../../src/containerfile/types.ts';
import { formatPlatform } from '../../../src/core/platform.ts';
import { checkText } from './check-case.ts';

/*
 * Files in the style of well-known projects: each folder of testdata/real holds a Containerfile, the warnings that docker
 * gives for it (`line Rule`), and the graph that each of its targets must have (the empty one is the last stage), written
 * as lines `name = base @platform + other + other`.
 */

interface Expected {
  readonly about: string;
  readonly warnings?: readonly string[];
  readonly targets: Readonly<Record<string, readonly string[]>>;
}

const root = 'testdata/real';
const platform = { os: 'linux', architecture: 'amd64' };
const buildPlatform = { os: 'linux', architecture: 'arm64' };
const files = readdirSync(root).sort();

it('are at least twenty', () => expect(files.length).toBeGreaterThanOrEqual(20));

describe.each(files)('%s', (name) => {
  const text = readFileSync(join(root, name, 'Containerfile'), 'utf8');
  const expected = JSON.parse(readFileSync(join(root, name, 'expect.json'), 'utf8')) as Expected;

  it('parses, and nothing about it is strange', () => {
    const { containerfile, errors } = parseAll(text, name);
    expect(errors).toEqual([]);
    expect(containerfile?.warnings).toEqual([]);
  });

  it('is warned about where docker warns, and nowhere else', () => {
    const { warnings, errors } = checkText(text);
    expect(errors).toEqual([]);
    const lines = warnings.map(({ location, rule }) => `${location.startLine} ${rule}`);
    expect(lines).toEqual(expected.warnings ?? []);
  });

  it.each(Object.entries(expected.targets))('has the graph of the target "%s"', (target, lines) => {
    const { containerfile } = parseAll(text, name);
    const graph = graphOf(containerfile!, { target, platform, buildPlatform, buildArgs: {} });
    expect(graph.warnings).toEqual([]);
    expect(graph.stages.map((stage) => lineOf(stage, graph))).toEqual(lines);
  });
});

function lineOf(stage: GraphStage, { containerfile }: StageGraph): string {
  const { base } = stage;
  const from = base.kind === 'image' ? base.reference : base.kind;
  const start = base.kind === 'stage' ? nameOf(base.index, containerfile) : from;
  const where = formatPlatform(stage.platform);
  const foreign = where === formatPlatform(platform) ? '' : ` @${where}`;
  const others = stage.needs.filter((index) => !(base.kind === 'stage' && base.index === index));
  const more = others.map((index) => ` + ${nameOf(index, containerfile)}`);
  return `${nameOf(stage.stage.index, containerfile)} = ${start}${foreign}${more.join('')}`;
}

function nameOf(index: number, { stages }: Containerfile): string {
  return stages[index]!.name ?? `stage-${index}`;
}
