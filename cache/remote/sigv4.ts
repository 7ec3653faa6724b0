import { createHash, createHmac } from 'node:crypto';

/** Keys of an account, as AWS gives them out. */
export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of keys that end after a while. */
  readonly sessionToken?: string | undefined;
}

/** A request to be signed. */
export interface Unsigned {
  readonly method: string;
  readonly url: URL;
  /** sha256 of the body in hexadecimal. */
  readonly payloadHash: string;
  readonly region: string;
  readonly date: Date;
}

/**
 * The headers that sign a request to S3 (AWS Signature Version 4, service `s3`, a single signed payload). The secret
 * key goes into the signature alone.
 */
export function signedHeaders(
  { method, url, payloadHash, region, date }: Unsigned,
  { accessKeyId, secretAccessKey, sessionToken }: S3Keys,
): Record<string, string> {
  const time = date.toISOString().replace(/[-:]|\.\d+/g, '');
  const day = time.slice(0, 8);
  const headers: Record<string, string> = {
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': time,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  };
  const signed = Object.entries({ host: url.host, ...headers }).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(';');
  const lines = signed.map(([name, value]) => `${name}:${value.trim()}\n`).join('');
  const request = [method, url.pathname, queryOf(url), lines, names, payloadHash].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(request)].join('\n');
  const key = [region, 's3', 'aws4_request'].reduce(
    (last: Buffer, part) => hmac(last, part),
    hmac(`AWS4${secretAccessKey}`, day),
  );
  const signature = hmac(key, text).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}

/** A name as it stands in an address that is signed: everything but unreserved characters and slashes is encoded. */
export function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll('%2F', '/')
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function queryOf(url: URL): string {
  const pairs = [...url.searchParams].map(([name, value]) => [encodeKey(name), encodeKey(value)] as const);
  return pairs
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value.replaceAll('/', '%2F')}`)
    .join('&');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
