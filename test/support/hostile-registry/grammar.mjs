// What the distribution specification (1.1.1) allows in names, and what a request is about.
import { createHash } from 'node:crypto';

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryName = new RegExp(`^${component}(?:/${component})*$`);
const tagName = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const digestName = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export const isRepository = (text) => text.length <= 255 && repositoryName.test(text);
export const isTag = (text) => tagName.test(text);
export const isDigest = (text) => digestName.test(text);

/** The digest of bytes in the algorithm of another digest. */
export function digestOf(bytes, like = 'sha256:') {
  const algorithm = like.slice(0, like.indexOf(':'));
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/**
 * What a request is about: `{ op, repository, name }`. Operations are `ping`, `blob-head`, `blob-get`, `upload-start`,
 * `upload-mount`, `upload-post`, `upload-patch`, `upload-put`, `upload-status`, `upload-cancel`, `manifest-head`,
 * `manifest-get`, `manifest-put`, `tags`, `referrers`; `unknown` for everything else.
 */
export function understand(method, url) {
  const path = url.pathname;
  if (path === '/v2/') return { op: 'ping', repository: '', name: '' };
  const match = /^\/v2\/(.+)\/(?:(blobs)\/(?:(uploads)\/)?|(manifests|tags|referrers)\/)([^/]*)$/.exec(path);
  if (match === null) return { op: 'unknown', repository: '', name: '' };
  const [, repository, , uploads, other, name] = match;
  const kind = uploads ?? other ?? 'blobs';
  return { op: operations[kind]?.(method, url.searchParams) ?? 'unknown', repository, name };
}

const operations = {
  blobs: (method) => ({ GET: 'blob-get', HEAD: 'blob-head' })[method],
  manifests: (method) => ({ GET: 'manifest-get', HEAD: 'manifest-head', PUT: 'manifest-put' })[method],
  tags: (method) => (method === 'GET' ? 'tags' : undefined),
  referrers: (method) => (method === 'GET' ? 'referrers' : undefined),
  uploads: (method, query) =>
    ({
      POST: query.has('mount') ? 'upload-mount' : query.has('digest') ? 'upload-post' : 'upload-start',
      PATCH: 'upload-patch',
      PUT: 'upload-put',
      GET: 'upload-status',
      DELETE: 'upload-cancel',
    })[method],
};

/** What is wrong with the names of a request, as an error of the specification, or undefined. */
export function wrongName({ op, repository, name }) {
  if (op === 'ping' || op === 'unknown') return undefined;
  if (!isRepository(repository)) return 'NAME_INVALID';
  if (op.startsWith('blob-') || op === 'referrers') return isDigest(name) ? undefined : 'DIGEST_INVALID';
  if (op.startsWith('manifest-')) return isTag(name) || isDigest(name) ? undefined : 'TAG_INVALID';
  return undefined;
}
