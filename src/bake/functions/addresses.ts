import { isIP } from 'node:net';
import { numberOf, textOf } from '../hcl/value.ts';
import { type Functions, MANY, unfit } from './function.ts';

/** A network of addresses: `10.0.0.0/8`. */
interface Network {
  readonly address: bigint;
  readonly prefix: number;
  /** Bits of an address: 32 or 128. */
  readonly bits: number;
}

/** Arithmetic with networks in CIDR form. */
export const addressFunctions: Functions = {
  cidrhost: [2, 2, (network, number) => host(networkOf(textOf(network!)), numberOf(number!))],
  cidrnetmask: [1, 1, (network) => netmask(networkOf(textOf(network!)))],
  cidrsubnet: [
    3,
    3,
    (network, bits, number) => subnet(networkOf(textOf(network!)), numberOf(bits!), numberOf(number!)),
  ],
  cidrsubnets: [1, MANY, (network, ...bits) => subnets(networkOf(textOf(network!)), bits.map(numberOf))],
};

function networkOf(text: string): Network {
  const [written = '', length = ''] = text.split('/');
  const kind = isIP(written);
  const bits = kind === 4 ? 32 : 128;
  const prefix = /^\d+$/.test(length) ? Number(length) : Number.NaN;
  if (kind === 0 || !(prefix <= bits)) throw unfit(`"${text}" is no network such as 10.0.0.0/8`);
  return { address: maskedTo(numberFrom(written, kind), prefix, bits), prefix, bits };
}

function maskedTo(address: bigint, prefix: number, bits: number): bigint {
  const free = BigInt(bits - prefix);
  return (address >> free) << free;
}

function numberFrom(text: string, kind: number): bigint {
  if (kind === 4) return text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  const [head = '', tail] = text.split('::');
  const words = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [before, after] = [words(head), words(tail ?? '')];
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  const all = [...before, ...Array.from({ length: missing }, () => '0'), ...after];
  return all.reduce((sum, word) => (sum << 16n) | BigInt(`0x${word}`), 0n);
}

function textFrom(address: bigint, bits: number): string {
  const size = bits === 32 ? 8n : 16n;
  const parts = Array.from({ length: bits === 32 ? 4 : 8 }, (_, i) => {
    const shift = BigInt(bits) - size * BigInt(i + 1);
    return (address >> shift) & ((1n << size) - 1n);
  });
  return bits === 32 ? parts.join('.') : shortest(parts.map((part) => part.toString(16)));
}

/** The longest run of zeros is left away. */
function shortest(words: readonly string[]): string {
  const runs = [...`:${words.join(':')}:`.matchAll(/(?::0){2,}(?=:)/g)].sort(
    (a, b) => b[0].length - a[0].length,
  );
  const [run] = runs;
  if (run === undefined) return words.join(':');
  const whole = `:${words.join(':')}:`;
  const text = `${whole.slice(0, run.index)}::${whole.slice(run.index + run[0].length + 1)}`;
  return text.replace(/^:(?!:)|(?<!:):$/g, '');
}

function host({ address, prefix, bits }: Network, number: number): string {
  const size = 1n << BigInt(bits - prefix);
  const at = BigInt(number);
  if (at >= size || -at > size) throw unfit(`the network has no host ${number}`);
  return textFrom(address + (at < 0n ? size + at : at), bits);
}

function netmask({ prefix, bits }: Network): string {
  if (bits !== 32) throw unfit('only IPv4 has netmasks');
  return textFrom(maskedTo((1n << 32n) - 1n, prefix, 32), 32);
}

function subnet({ address, prefix, bits }: Network, more: number, number: number): string {
  const length = prefix + more;
  if (length > bits || BigInt(number) >= 1n << BigInt(more)) throw unfit('the network has no such part');
  return `${textFrom(address + (BigInt(number) << BigInt(bits - length)), bits)}/${length}`;
}

/** One behind the other, each where it may begin. */
function subnets({ address, prefix, bits }: Network, more: readonly number[]): readonly string[] {
  const end = address + (1n << BigInt(bits - prefix));
  let next = address;
  return more.map((extra) => {
    const length = prefix + extra;
    const size = 1n << BigInt(bits - length);
    const start = ((next + size - 1n) / size) * size;
    next = start + size;
    if (length > bits || next > end) throw unfit('the network has no room for these parts');
    return `${textFrom(start, bits)}/${length}`;
  });
}
