// Manifests, tags and referrers: what is stored is what the specification lets be stored.
import { refuse } from './answers.mjs';
import { digestHeader, warning } from './blobs.mjs';
import { digestOf, isDigest } from './grammar.mjs';

const maxBytes = 4 << 20;
const indexTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const imageTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

export function get(call, { state, quirks }) {
  const { op, repository, name, headers } = call;
  if (op === 'manifest-head' && quirks.manifestHead !== undefined)
    return refuse(quirks.manifestHead, 'UNSUPPORTED');
  const found = state.manifest(repository, name);
  if (found === undefined) return refuse(404, 'MANIFEST_UNKNOWN');
  if (!accepts(headers.accept, found.type))
    return refuse(404, 'MANIFEST_UNKNOWN', 'no such type is accepted');
  const { contentDigest = found.digest, manifestType = found.type } = quirks;
  const described = contentDigest === 'none' ? {} : digestHeader(contentDigest);
  const type = manifestType === 'none' ? {} : { 'content-type': manifestType };
  return { status: 200, headers: { ...type, ...described, ...warning(quirks) }, body: found.bytes };
}

export async function put(call, { state, quirks }) {
  const { repository, name, headers, body } = call;
  if (Number(headers['content-length']) > maxBytes)
    return refuse(413, 'MANIFEST_INVALID', 'larger than 4 MiB');
  const bytes = await body.bytes();
  const type = headers['content-type'];
  const wrong = wrongManifest(bytes, type, { repository, name, state });
  if (wrong !== undefined) return wrong;
  const { digest } = state.addManifest(repository, name, { type, bytes });
  const { subject } = JSON.parse(bytes);
  const said = subject !== undefined && quirks.subject !== 'ignored';
  const location = `/v2/${repository}/manifests/${digest}`;
  const subjectHeader = said ? { 'oci-subject': quirks.subject ?? subject.digest } : {};
  const described = digestHeader(quirks.manifestDigest ?? digest);
  return { status: 201, headers: { location, ...described, ...subjectHeader, ...warning(quirks) } };
}

/** Those whose subject is the digest (distribution-spec, Listing Referrers). */
export function referrers({ repository, name, url }, { state, quirks }) {
  if (quirks.referrers !== undefined) return refuse(quirks.referrers, 'UNSUPPORTED');
  const type = url.searchParams.get('artifactType');
  const manifests = [...state.manifests]
    .filter(([key]) => key.startsWith(`${repository}@`))
    .map(([, stored]) => ({ stored, json: JSON.parse(stored.bytes) }))
    .filter(({ json }) => json.subject?.digest === name)
    .map(({ stored, json }) => referrer(stored, json))
    .filter((descriptor) => type === null || descriptor.artifactType === type);
  const body = JSON.stringify({ schemaVersion: 2, mediaType: indexTypes[0], manifests });
  const filtered = type === null ? {} : { 'oci-filters-applied': 'artifactType' };
  return { status: 200, headers: { 'content-type': indexTypes[0], ...filtered }, body };
}

export function tags({ repository }, { state }) {
  const prefix = `${repository}:`;
  const names = [...state.manifests.keys()].filter((key) => key.startsWith(prefix));
  if (![...state.manifests.keys()].some((key) => key.startsWith(`${repository}@`)))
    return refuse(404, 'NAME_UNKNOWN');
  const body = JSON.stringify({
    name: repository,
    tags: names.map((key) => key.slice(prefix.length)).sort(),
  });
  return { status: 200, headers: { 'content-type': 'application/json' }, body };
}

function referrer({ type, bytes, digest }, { artifactType, config, annotations }) {
  const kind = artifactType ?? config?.mediaType;
  return { mediaType: type, digest, size: bytes.length, artifactType: kind, annotations };
}

function accepts(header, type) {
  if (header === undefined) return true;
  return header.split(',').some((one) => ['*/*', type].includes(one.split(';')[0].trim()));
}

function wrongManifest(bytes, type, { repository, name, state }) {
  if (type === undefined || type.includes(';')) return invalid(`the Content-Type ${type} names no manifest`);
  if (isDigest(name) && digestOf(bytes, name) !== name) return refuse(400, 'DIGEST_INVALID');
  const json = parse(bytes);
  if (json?.schemaVersion !== 2) return invalid('not a manifest of schema 2');
  if (json.mediaType !== undefined && json.mediaType !== type)
    return invalid(`sent as ${type}, but it says ${json.mediaType}`);
  if (indexTypes.includes(type)) return wrongIndex(json, { repository, state });
  if (!imageTypes.includes(type)) return invalid(`a manifest of type ${type} is not taken`);
  return wrongImage(json, { repository, state });
}

function wrongIndex({ manifests }, { repository, state }) {
  if (!Array.isArray(manifests)) return invalid('an index without manifests');
  const missing = manifests.find(({ digest }) => state.manifest(repository, digest) === undefined);
  if (missing !== undefined)
    return refuse(404, 'MANIFEST_UNKNOWN', `the child ${missing.digest} is not here`);
  const lies = manifests.find(({ digest, size }) => state.manifest(repository, digest).bytes.length !== size);
  return lies === undefined ? undefined : invalid(`the size of ${lies.digest} is another`);
}

function wrongImage({ config, layers }, { repository, state }) {
  if (config === undefined || !Array.isArray(layers)) return invalid('neither config nor layers');
  const missing = [config, ...layers].find(
    (one) => one.urls === undefined && !state.has(repository, one.digest),
  );
  if (missing !== undefined) return refuse(404, 'MANIFEST_BLOB_UNKNOWN', `${missing.digest} is not here`);
  const lies = [config, ...layers].find(({ digest, size }) => {
    const bytes = state.blobs.get(digest);
    return bytes !== undefined && bytes.length !== size;
  });
  return lies === undefined ? undefined : invalid(`the size of ${lies.digest} is another`);
}

function parse(bytes) {
  try {
    return JSON.parse(bytes);
  } catch {
    return undefined;
  }
}

function invalid(message) {
  return refuse(400, 'MANIFEST_INVALID', message);
}
