import { constants, createHash, privateDecrypt, randomUUID } from 'node:crypto';
import { homedir } from 'node:os';
import { csvFields } from '../../core/csv.ts';
import { fromJson, textOf, toJson, type Value } from '../hcl/value.ts';
import { type Functions, type StandardFunction, unfit } from './function.ts';

/** Digests, identifiers and the forms in which data is written. */
export const encodingFunctions: Functions = {
  base64decode: [1, 1, (text) => decoded(textOf(text!))],
  base64encode: [1, 1, (text) => Buffer.from(textOf(text!)).toString('base64')],
  bcrypt: [
    1,
    2,
    () => {
      throw unfit('bcrypt is not there: it gives another result each time, and no step would ever be cached');
    },
  ],
  csvdecode: [1, 1, (text) => rowsOf(textOf(text!))],
  homedir: [0, 0, () => process.env.TSBUILD_HOME || homedir()],
  jsondecode: [1, 1, (text) => parsedJson(textOf(text!))],
  jsonencode: [1, 1, (value) => JSON.stringify(toJson(value!))],
  md5: digest('md5'),
  rsadecrypt: [2, 2, (text, key) => decrypted(textOf(text!), textOf(key!))],
  sha1: digest('sha1'),
  sha256: digest('sha256'),
  sha512: digest('sha512'),
  urlencode: [1, 1, (text) => queryEscaped(textOf(text!))],
  uuidv4: [0, 0, () => randomUUID()],
  uuidv5: [2, 2, (space, name) => namedUuid(textOf(space!), textOf(name!))],
};

function digest(algorithm: string): StandardFunction {
  return [1, 1, (text) => createHash(algorithm).update(textOf(text!)).digest('hex')];
}

function decoded(text: string): string {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) throw unfit('that is no base64');
  return Buffer.from(text, 'base64').toString();
}

function parsedJson(text: string): Value {
  try {
    return fromJson(JSON.parse(text));
  } catch {
    throw unfit('that is no JSON');
  }
}

/** The first line names the fields. */
function rowsOf(text: string): Value {
  const [head = [], ...rows] = text
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map((line) => csvFields(line) ?? []);
  return rows.map((row) => {
    if (row.length !== head.length) throw unfit(`a line has ${row.length} fields, the first ${head.length}`);
    return new Map(head.map((name, i) => [name, row[i]!]));
  });
}

function decrypted(text: string, key: string): string {
  try {
    const padded = { key, padding: constants.RSA_PKCS1_PADDING };
    return privateDecrypt(padded, Buffer.from(text, 'base64')).toString();
  } catch {
    throw unfit('the text cannot be decrypted with this key');
  }
}

/** As forms send it: a space is a plus. */
function queryEscaped(text: string): string {
  const escaped = encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return escaped.replaceAll('%20', '+');
}

const spaces: Readonly<Record<string, string>> = {
  dns: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  url: '6ba7b811-9dad-11d1-80b4-00c04fd430c8',
  oid: '6ba7b812-9dad-11d1-80b4-00c04fd430c8',
  x500: '6ba7b814-9dad-11d1-80b4-00c04fd430c8',
};

/** RFC 9562: of a name within a space. */
function namedUuid(space: string, name: string): string {
  const known = spaces[space] ?? space;
  if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(known))
    throw unfit(`"${space}" is no space of names`);
  const hash = createHash('sha1')
    .update(Buffer.from(known.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  hash[6] = (hash[6]! & 0x0f) | 0x50;
  hash[8] = (hash[8]! & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}
