import { randomUUID } from 'node:crypto';
import { type BuildFacts, provenance } from '../attest/provenance.ts';
import { digestOf, hexOf } from '../core/digest.ts';
import type { AttestOptions, BuildOptions } from '../core/options.ts';
import { formatPlatform, hostPlatform } from '../core/platform.ts';
import type { Attest } from '../oci/attestation.ts';
import type { Input } from './input.ts';
import type { Materials } from './materials.ts';

/** What is known of a build when it begins. */
interface Began {
  readonly input: Pick<Input, 'file' | 'text'>;
  readonly materials: Materials;
  readonly startedMs: number;
}

/** What a build says about its images, where it was asked to. */
export function attesting(options: BuildOptions, began: Began): Attest | undefined {
  const { provenance: asked } = options.attest;
  if (asked === undefined) return undefined;
  const facts = factsOf(asked, options, began);
  return async () => [provenance(facts)];
}

/** With SOURCE_DATE_EPOCH nothing in them depends on the moment: the same build says the same. */
function factsOf(
  { mode, builderId }: NonNullable<AttestOptions['provenance']>,
  options: BuildOptions,
  { input, materials, startedMs }: Began,
): BuildFacts {
  const { sourceDateEpoch, target, buildArgs, labels } = options;
  const time = (ms: number): string =>
    new Date(sourceDateEpoch === undefined ? ms : sourceDateEpoch * 1000).toISOString();
  // Of what was fetched the context came first, where it is no folder of this machine and not stdin.
  const source = /^(?:\/|-$)/.test(options.context) ? undefined : materials.first;
  const facts = {
    ...{ mode, target, buildArgs, labels },
    builderId: builderId ?? ciRun(process.env),
    startedOn: time(startedMs),
    finishedOn: time(Date.now()),
    builderPlatform: formatPlatform(hostPlatform()),
    containerfile: { path: input.file, text: input.text },
    ...(source !== undefined && { source }),
    secrets: options.secrets.map(({ id }) => id),
    ssh: options.ssh.map(({ id }) => id),
    materials: materials.all,
    hermetic: options.network === 'none',
  };
  const invocationId =
    sourceDateEpoch === undefined ? randomUUID() : hexOf(digestOf(JSON.stringify(facts))).slice(0, 32);
  return { ...facts, invocationId };
}

/** The address of the CI run that this is, where one says so (GitHub Actions, GitLab). */
function ciRun(env: NodeJS.ProcessEnv): string {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID, CI_JOB_URL } = env;
  if (GITHUB_SERVER_URL && GITHUB_REPOSITORY && GITHUB_RUN_ID)
    return `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
  return CI_JOB_URL ?? '';
}
