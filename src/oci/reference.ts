import { type Digest, isDigest } from '../core/digest.ts';
import { usageError } from '../core/errors.ts';

/** Where an image is: `host/repository:tag@digest`. One of tag and digest is always there. */
export interface Reference {
  /** `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly host: string;
  /** `library/debian`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const defaultHost = 'docker.io';
const officialFolder = 'library/';
/** Bytes of host and repository together. */
const maxNameLength = 255;

const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const hostPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?$`);
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/**
 * Reads an image name as docker does: `myapp` is `docker.io/library/myapp:latest`; the first part is a host where it
 * holds a dot, a colon or an upper-case letter, or is `localhost`. Throws `usage` with what is wrong.
 */
export function parseReference(text: string): Reference {
  if (text.length > 1024) throw usageError('the image name is longer than any name may be');
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : parseDigest(text, text.slice(at + 1));
  const { name, tag } = splitTag(at < 0 ? text : text.slice(0, at));
  if (tag !== undefined && !tagPattern.test(tag)) throw badTag(text, tag);
  const { host, repository } = splitHost(name);
  checkName(text, { host, repository });
  const found = { host, repository, ...(digest !== undefined && { digest }) };
  if (tag !== undefined) return { ...found, tag };
  return digest === undefined ? { ...found, tag: 'latest' } : found;
}

/** The name without tag and digest, where no host is written: `myapp`, `me/app`; else undefined. */
export function shortName(text: string): string | undefined {
  const { name } = splitTag(text.replace(/@.*$/s, ''));
  return hostIn(name) === undefined ? name : undefined;
}

/** The full name: `docker.io/library/myapp:latest`. */
export function formatReference(reference: Reference): string {
  return `${reference.host}/${reference.repository}${suffix(reference)}`;
}

/** The name as people write it: `myapp:latest`. */
export function familiarName(reference: Reference): string {
  const { host, repository } = reference;
  if (host !== defaultHost) return formatReference(reference);
  const rest = repository.slice(officialFolder.length);
  const isOfficial = repository.startsWith(officialFolder) && !rest.includes('/');
  return `${isOfficial ? rest : repository}${suffix(reference)}`;
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function parseDigest(text: string, digest: string): Digest {
  if (isDigest(digest)) return digest;
  throw usageError(
    `"${text}" does not end in a digest that tsbuild knows`,
    'A digest is "sha256:" and 64 hexadecimal digits in lower case.',
  );
}

function splitTag(name: string): { name: string; tag?: string } {
  const colon = name.lastIndexOf(':');
  return colon <= name.lastIndexOf('/')
    ? { name }
    : { name: name.slice(0, colon), tag: name.slice(colon + 1) };
}

function splitHost(name: string): { host: string; repository: string } {
  const written = hostIn(name);
  const host = written ?? defaultHost;
  const repository = written === undefined ? name : name.slice(written.length + 1);
  if (host !== defaultHost && host !== 'index.docker.io') return { host, repository };
  return {
    host: defaultHost,
    repository: repository.includes('/') ? repository : officialFolder + repository,
  };
}

function hostIn(name: string): string | undefined {
  const first = name.slice(0, Math.max(name.indexOf('/'), 0));
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  return isHost ? first : undefined;
}

function checkName(text: string, { host, repository }: Reference): void {
  if (!hostPattern.test(host)) throw usageError(`"${text}" does not begin with a host name that can be`);
  if (repository !== repository.toLowerCase()) {
    throw usageError(
      `"${text}" is no image name: repositories are written in lower case`,
      `Write ${text.toLowerCase()}.`,
    );
  }
  if (!repositoryPattern.test(repository)) {
    throw usageError(
      `"${text}" is no image name`,
      'A name is letters, digits and single ".", "_" or "-" between them, in parts joined by "/".',
    );
  }
  if (host.length + 1 + repository.length > maxNameLength) {
    throw usageError(`"${text}" is too long: host and repository may have ${maxNameLength} characters`);
  }
  if (/^library\/[0-9a-f]{64}$/.test(repository)) {
    throw usageError(`"${text}" is an image id, not a name`, 'Give the image a name.');
  }
}

function badTag(text: string, tag: string): Error {
  return usageError(
    `"${text}" has a tag that cannot be: "${tag}"`,
    'A tag is at most 128 letters, digits, "_", "." and "-", and begins with none of "." and "-".',
  );
}
