import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseBases } from '../support/base-images.ts';
import { buildArguments, buildCases, layOut, succeeds, wrongGolden } from '../support/cases.ts';
import { must, run } from '../support/programs.ts';
import { type RegistryServer, startRegistryServer } from '../support/registry-server.ts';
import { temporaryFolder } from '../support/shared.ts';
import { skip } from '../support/skips.ts';

/*
 * The goldens are what docker itself makes. Only its BuildKit is asked: the builder before it wrote other histories. The
 * images are fetched by way of a registry, since docker saves none without a layer.
 */

/** The oldest that was compared: 20.10 knows no heredocs and no newer flags, and writes ARG, EXPOSE and others otherwise. */
const oldest = '28.5';

const goldens = buildCases().filter(
  (one) => succeeds(one) && one.golden !== undefined && one.docker === undefined,
);

const programs = ['docker', 'docker-registry', 'skopeo', 'umoci', 'busybox'];
const absent = skip('comparison with docker', { programs });

describe.skipIf(absent || unfitDaemon())('the same configuration as docker makes', () => {
  const folder = temporaryFolder('docker');
  let registry: RegistryServer;
  beforeAll(async () => {
    registry = await startRegistryServer();
    for (const base of await caseBases()) await must(['docker', 'load', '-q', '-i', base.archive]);
  });
  afterAll(async () => {
    const bases = (await caseBases()).map(({ name }) => name);
    const built = goldens.map(({ name }) => `${registry.host}/golden:${name}`);
    await run(['docker', 'image', 'rm', '-f', ...built, ...bases]);
    await registry.stop();
    await folder[Symbol.asyncDispose]();
  });

  it.for(goldens)('$name', async (one, context) => {
    const { dockerSince: since } = one;
    context.skip(since !== undefined && tooOld(since), `docker writes this so since ${since}`);
    const cwd = join(folder.path, one.name);
    await layOut(one, cwd);
    const env = { ...process.env, ...one.env, DOCKER_BUILDKIT: '1' };
    const name = `${registry.host}/golden:${one.name}`;
    const buildx = hasBuildx() ? ['--provenance=false', '--sbom=false', '--load'] : [];
    const build = ['docker', 'build', '-q', '--network=none', ...buildx, '-t', name];
    await must([...build, ...buildArguments(one)], { cwd, env });
    await must(['docker', 'push', '-q', name]);
    const inspect = ['skopeo', 'inspect', '--tls-verify=false', '--config', '--raw'];
    const config = await must([...inspect, `docker://${name}`]);
    expect(wrongGolden(one, JSON.parse(config) as object)).toEqual([]);
  });
});

/** No daemon, or none that can be compared; the reason is said aloud. */
function unfitDaemon(): boolean {
  if (absent) return true;
  const reason = unfit();
  if (reason !== undefined) console.warn(`skipped: comparison with docker: ${reason}`);
  return reason !== undefined;
}

function unfit(): string | undefined {
  const server = version('Server');
  if (server === undefined) return 'no daemon answers';
  if (tooOld(oldest))
    return `the daemon is ${server}, older than ${oldest} (TSBUILD_TEST_OLD_DOCKER=1 asks it nevertheless)`;
  return hasBuildx() || isBefore(version('Client')!, '23') ? undefined : 'docker lacks buildx';
}

/** Whether the daemon's frontend is older than what a golden says. */
function tooOld(since: string): boolean {
  return process.env.TSBUILD_TEST_OLD_DOCKER !== '1' && isBefore(version('Server')!, since);
}

function version(of: 'Server' | 'Client'): string | undefined {
  const { status, stdout } = spawnSync('docker', ['version', '--format', `{{.${of}.Version}}`]);
  return status === 0 ? String(stdout).trim() : undefined;
}

function isBefore(found: string, wanted: string): boolean {
  return found.localeCompare(wanted, 'en', { numeric: true }) < 0;
}

/** Clients before 23 speak to BuildKit without it. */
function hasBuildx(): boolean {
  return spawnSync('docker', ['buildx', 'version']).status === 0;
}
