import { hideLogins } from '../core/logins.ts';
import type { Attestation } from '../oci/attestation.ts';

/** Something that a build was made of, by its address; `digest` by algorithm, in hexadecimal digits. */
export interface Material {
  readonly uri: string;
  readonly digest?: Readonly<Record<string, string>>;
}

/** What a build was, for its provenance. */
export interface BuildFacts {
  /** `min` leaves away what may tell too much: values of arguments, and the Containerfile. */
  readonly mode: 'min' | 'max';
  /** Who built it: the address of a CI run; '' where nothing is known. */
  readonly builderId: string;
  readonly invocationId: string;
  /** ISO times. */
  readonly startedOn: string;
  readonly finishedOn: string;
  /** `linux/amd64`: the machine that built. */
  readonly builderPlatform: string;
  readonly containerfile: { readonly path: string; readonly text: string };
  /** Where the context came from, where that is an address. */
  readonly source?: Material;
  readonly target: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Ids of what was given, never what they hold. */
  readonly secrets: readonly string[];
  readonly ssh: readonly string[];
  readonly materials: readonly Material[];
  /** Whether steps could not reach a network. */
  readonly hermetic: boolean;
}

/** The schema that BuildKit's provenance follows, and readers of it know. */
const buildType = 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md';

/** The provenance of a build as SLSA v1 has it, in BuildKit's schema. */
export function provenance(facts: BuildFacts): Attestation {
  const { containerfile, source, materials, builderPlatform, mode } = facts;
  const predicate = {
    buildDefinition: {
      buildType,
      externalParameters: {
        configSource: { ...source, path: containerfile.path },
        request: requestOf(facts),
      },
      internalParameters: {
        builderPlatform,
        ...(mode === 'max' && { buildConfig: sourceOf(containerfile) }),
      },
      resolvedDependencies: materials,
    },
    runDetails: {
      builder: { id: facts.builderId },
      metadata: {
        invocationId: facts.invocationId,
        startedOn: facts.startedOn,
        finishedOn: facts.finishedOn,
        buildkit_completeness: { request: mode === 'max', resolvedDependencies: facts.hermetic },
        buildkit_hermetic: facts.hermetic,
      },
    },
  };
  return { predicateType: 'https://slsa.dev/provenance/v1', predicate };
}

function requestOf({ mode, target, buildArgs, labels, secrets, ssh, source }: BuildFacts): object {
  const args = {
    ...(target !== undefined && { target }),
    ...prefixed('build-arg:', buildArgs),
    ...prefixed('label:', labels),
  };
  const given = (ids: readonly string[]): object[] => ids.map((id) => ({ id, optional: true }));
  return {
    frontend: 'dockerfile.v0',
    ...(mode === 'max' && Object.keys(args).length > 0 && { args }),
    ...(mode === 'max' && secrets.length > 0 && { secrets: given(secrets) }),
    ...(mode === 'max' && ssh.length > 0 && { ssh: given(ssh) }),
    ...(source === undefined && { locals: [{ name: 'context' }, { name: 'dockerfile' }] }),
  };
}

function sourceOf({ path, text }: BuildFacts['containerfile']): object {
  const data = Buffer.from(hideLogins(text)).toString('base64');
  return { source: { infos: [{ filename: path, language: 'Dockerfile', data }] } };
}

function prefixed(prefix: string, fields: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(fields).map(
    ([name, value]) => [`${prefix}${name}`, hideLogins(value)] as const,
  );
  return Object.fromEntries(entries);
}
