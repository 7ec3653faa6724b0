import { randomUUID } from 'node:crypto';
import { basename, relative } from 'node:path';
import { type BuildFacts, provenance } from '../attest/provenance.ts';
import { digestOf, hexOf } from '../core/digest.ts';
import type { AttestOptions, BuildOptions, SbomFormat } from '../core/options.ts';
import { formatPlatform, hostPlatform } from '../core/platform.ts';
import type { Layers } from '../core/store.ts';
import type { Image } from '../core/types.ts';
import { version } from '../core/version.ts';
import type { Attest, Attestation } from '../oci/attestation.ts';
import type { Input } from './input.ts';
import type { Materials } from './materials.ts';

/** What is known of a build when it begins. */
interface Began {
  readonly input: Pick<Input, 'file' | 'path' | 'text'>;
  readonly materials: Materials;
  readonly startedMs: number;
  readonly layers: Layers;
}

/** What a build says about its images, where it was asked to. */
export function attesting(options: BuildOptions, began: Began): Attest | undefined {
  const { provenance: asked, sbom } = options.attest;
  if (asked === undefined && sbom === undefined) return undefined;
  const said = asked === undefined ? [] : [provenance(factsOf(asked, options, began))];
  const created = timeOf(Date.now(), options);
  return async (image) => [
    ...(await sbomsOf(image, { formats: sbom ?? [], created }, options, began)),
    ...said,
  ];
}

async function sbomsOf(
  image: Image,
  { formats, created }: { readonly formats: readonly SbomFormat[]; readonly created: string },
  { tags, signal }: BuildOptions,
  { layers }: Began,
): Promise<readonly Attestation[]> {
  if (formats.length === 0) return [];
  const { packagesIn } = await import('./inventory.ts');
  const id = digestOf(image.config);
  const inventory = {
    ...{ id, created },
    name: tags[0] ?? id,
    packages: await packagesIn(image, layers, signal),
    tool: { name: 'tsbuild', version: version() },
  };
  const { sbomOf } = await import('../attest/sbom/documents.ts');
  return await Promise.all(formats.map((format) => sbomOf(format, inventory)));
}

/** With SOURCE_DATE_EPOCH nothing depends on the moment: the same build says the same. */
function timeOf(ms: number, { sourceDateEpoch }: BuildOptions): string {
  return new Date(sourceDateEpoch === undefined ? ms : sourceDateEpoch * 1000).toISOString();
}

function factsOf(
  { mode, builderId }: NonNullable<AttestOptions['provenance']>,
  options: BuildOptions,
  { input, materials, startedMs }: Began,
): BuildFacts {
  const { sourceDateEpoch, target, buildArgs, labels } = options;
  // Of what was fetched the context came first, where it is no folder of this machine and not stdin.
  const source = /^(?:\/|-$)/.test(options.context) ? undefined : materials.first;
  const facts = {
    ...{ mode, target, buildArgs, labels },
    builderId: builderId ?? (sourceDateEpoch === undefined ? ciRun(process.env) : ''),
    startedOn: timeOf(startedMs, options),
    finishedOn: timeOf(Date.now(), options),
    builderPlatform: formatPlatform(hostPlatform()),
    containerfile: { path: pathOf(input, options.context), text: input.text },
    ...(source !== undefined && { source }),
    secrets: options.secrets.map(({ id }) => id),
    ssh: options.ssh.map(({ id }) => id),
    materials: materials.all,
    hermetic: options.network === 'none',
  };
  const invocationId =
    sourceDateEpoch === undefined
      ? randomUUID()
      : hexOf(digestOf(JSON.stringify(provenance({ ...facts, invocationId: '' })))).slice(0, 32);
  return { ...facts, invocationId };
}

/** As a person in the context's folder would write it: no path of this machine is told. */
function pathOf({ file, path }: Pick<Input, 'file' | 'path'>, context: string): string {
  if (path === undefined) return file;
  const inContext = relative(context, path);
  return inContext.startsWith('..') ? basename(path) : inContext;
}

/** The address of the CI run that this is, where one says so (GitHub Actions, GitLab). */
function ciRun(env: NodeJS.ProcessEnv): string {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID, CI_JOB_URL } = env;
  if (GITHUB_SERVER_URL && GITHUB_REPOSITORY && GITHUB_RUN_ID)
    return `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
  return CI_JOB_URL ?? '';
}
