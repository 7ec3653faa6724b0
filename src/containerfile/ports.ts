import { BuildError } from '../core/errors.ts';

/**
 * The ports of EXPOSE as an image names them (`8080/tcp`), in the order written; what is written twice stays twice. A
 * variable's value may be none or several with blanks between them. Takes `port`, `from-to`,
 * `…/protocol`, and `[ip:]host:container`, of which only the container's part counts. Fails with `parse`.
 */
export function exposedPorts(specs: readonly string[]): string[] {
  return specs.flatMap((spec) => (spec.match(/\S+/g) ?? []).flatMap(portsOf));
}

function portsOf(spec: string): string[] {
  const [ports, protocol = 'tcp', ...more] = spec.split('/');
  const name = protocol.toLowerCase() || 'tcp';
  if (more.length > 0 || !['tcp', 'udp', 'sctp'].includes(name)) {
    throw wrong(spec, 'the protocol must be tcp, udp or sctp');
  }
  const [, bracketed = '', rest] = /^(?:\[([^\]]*)\])?(.*)$/.exec(ports!)!;
  const parts = rest!.split(':');
  const [first, last] = range(spec, parts.at(-1)!);
  const host = parts.length > 1 ? parts.at(-2)! : '';
  checkAddress(spec, bracketed + parts.slice(0, -2).join(':'));
  if (host !== '') checkHost(spec, host, last - first);
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${name}`);
}

/** An address counts for nothing, but a name in its place is a mistake; digits are all that is looked at. */
function checkAddress(spec: string, address: string): void {
  if (address === '' || /^\d{1,3}(?:\.\d{1,3}){3}$|^[\da-f]*:[\da-f:.]*$/i.test(address)) return;
  throw wrong(spec, `"${address}" is no IP address`);
}

function checkHost(spec: string, host: string, size: number): void {
  const [first, last] = range(spec, host);
  if (last - first !== size && size > 0) throw wrong(spec, 'both ranges must have the same length');
}

function range(spec: string, text: string): [number, number] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || last > 65_535) throw wrong(spec, 'ports are numbers from 0 to 65535');
  if (first > last) throw wrong(spec, 'a range goes from the lower port to the higher');
  return [first, last];
}

function wrong(spec: string, why: string): BuildError {
  return new BuildError('parse', `invalid port "${spec}": ${why}`, {
    hint: 'Write EXPOSE 8080, 8080/udp or 8000-8010.',
  });
}
