import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseBases } from '../support/base-images.ts';
import { buildArguments, buildCases, layOut, succeeds, wrongGolden } from '../support/cases.ts';
import { must, run } from '../support/programs.ts';
import { temporaryFolder } from '../support/shared.ts';
import { skip } from '../support/skips.ts';

/*
 * The goldens are what docker itself makes. Only its BuildKit is asked: the builder before it wrote other histories.
 */

const goldens = buildCases().filter(
  (one) => succeeds(one) && one.golden !== undefined && one.docker === undefined,
);

const absent = skip('comparison with docker', { programs: ['docker', 'skopeo', 'umoci', 'busybox'] });

describe.skipIf(absent || noDaemon())('the same configuration as docker makes', () => {
  const folder = temporaryFolder('docker');
  const tag = `tsbuild-test-golden-${process.pid}`;
  beforeAll(async () => {
    for (const base of await caseBases()) await must(['docker', 'load', '-q', '-i', base.archive]);
  });
  afterAll(async () => {
    const bases = (await caseBases()).map(({ name }) => name);
    await run(['docker', 'image', 'rm', '-f', ...goldens.map(({ name }) => `${tag}:${name}`), ...bases]);
    await folder[Symbol.asyncDispose]();
  });

  it.each(goldens)('$name', async (one) => {
    const cwd = join(folder.path, one.name);
    await layOut(one, cwd);
    const env = { ...process.env, ...one.env, DOCKER_BUILDKIT: '1' };
    const name = `${tag}:${one.name}`;
    const build = ['docker', 'build', '-q', '--provenance=false', '--sbom=false', '--load', '-t', name];
    await must([...build, ...buildArguments(one)], { cwd, env });
    const archive = join(cwd, 'image.tar');
    await must(['docker', 'save', '-o', archive, name]);
    const config = await must(['skopeo', 'inspect', '--config', '--raw', `docker-archive:${archive}`]);
    expect(wrongGolden(one, JSON.parse(config) as object)).toEqual([]);
  });
});

function noDaemon(): boolean {
  if (absent) return true;
  const answers = spawnSync('docker', ['version', '--format', '{{.Server.Version}}']).status === 0;
  if (!answers) console.warn('skipped: comparison with docker: no daemon answers');
  return !answers;
}
