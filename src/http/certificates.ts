import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { BuildError, errnoOf } from '../core/errors.ts';
import type { Environment } from './proxy.ts';

/** What TLS is told for one host: trusted authorities and, where there is one, the client's own certificate. */
export interface HostCertificates {
  readonly ca: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

/**
 * The authorities that this machine trusts: SSL_CERT_FILE and SSL_CERT_DIR, or else the system's bundle; with
 * NODE_EXTRA_CA_CERTS and those that Node brings along, which by itself ignores all of these. A file named by a variable
 * that cannot be read is an error (`usage`).
 */
export function systemCertificates(env: Environment): string[] {
  const named = [env.SSL_CERT_FILE, env.NODE_EXTRA_CA_CERTS].filter((file) => Boolean(file)) as string[];
  const texts = named.map((file) => readNamed(file));
  const folders = (env.SSL_CERT_DIR ?? '').split(':').filter((folder) => folder !== '');
  texts.push(
    ...folders.flatMap((folder) => filesIn(folder).map((file) => readOptional(join(folder, file)) ?? '')),
  );
  if (!env.SSL_CERT_FILE && folders.length === 0) texts.push(systemBundle());
  return [...new Set([...rootCertificates, ...texts.flatMap(certificatesIn)])];
}

/**
 * Certificates for one host, as docker and containers lay them out: in `<folder>/<host[:port]>/`, `*.crt` are
 * authorities, `x.cert` with `x.key` is the client's certificate. `certDir` holds such files itself, and must be there.
 */
export function hostCertificates(
  host: string,
  folders: readonly string[],
  certDir?: string,
): HostCertificates {
  const named = certDir === undefined ? [] : [certificatesOf(certDir, namedFilesIn(certDir))];
  const found = [
    ...named,
    ...folders.map((folder) => join(folder, host)).map((place) => certificatesOf(place, filesIn(place))),
  ];
  const client = found.find((place) => place.cert !== undefined);
  return {
    ca: found.flatMap((place) => place.ca),
    ...(client?.cert !== undefined && client.key !== undefined && { cert: client.cert, key: client.key }),
  };
}

/** The authorities in the file that is named for a host, and must be there (`usage`). */
export function namedAuthorities(host: string, files: Readonly<Record<string, string>> = {}): string[] {
  const file = Object.hasOwn(files, host) ? files[host] : undefined;
  return file === undefined ? [] : certificatesIn(readNamed(file));
}

/** True when one of the folders has certificates for the host: it is meant to be reached over TLS. */
export function hasHostCertificates(host: string, folders: readonly string[]): boolean {
  return folders.some((folder) => filesIn(join(folder, host)).some((file) => /\.(crt|cert)$/.test(file)));
}

const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/ssl/cert.pem',
];

function systemBundle(): string {
  for (const file of bundles) {
    const text = readOptional(file);
    if (text !== undefined) return text;
  }
  return '';
}

function certificatesOf(folder: string, files: readonly string[]): HostCertificates {
  const ca = files
    .filter((file) => file.endsWith('.crt'))
    .flatMap((file) => certificatesIn(readNamed(join(folder, file))));
  const cert = files.find((file) => file.endsWith('.cert'));
  if (cert === undefined) return { ca };
  const key = `${cert.slice(0, -'.cert'.length)}.key`;
  return { ca, cert: readNamed(join(folder, cert)), key: readNamed(join(folder, key)) };
}

function namedFilesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw new BuildError('usage', `the folder ${folder} cannot be read (${errnoOf(error) ?? 'unknown'})`, {
      hint: 'Correct --cert-dir: a folder with *.crt, and *.cert with *.key where the registry wants one.',
    });
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function readNamed(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new BuildError(
      'usage',
      `the certificate file ${file} cannot be read (${errnoOf(error) ?? 'unknown'})`,
      {
        hint: 'Make it readable, or correct SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, --registry-certificate or the certs.d folder.',
      },
    );
  }
}

function readOptional(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function certificatesIn(pem: string): string[] {
  return (
    pem.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? []
  );
}
