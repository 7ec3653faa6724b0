import { BlockList, isIP } from 'node:net';

/** True for `localhost` (and names under it), 127.0.0.0/8 and ::1, with or without brackets. */
export function isLoopback(hostname: string): boolean {
  const name = bare(hostname);
  return name === 'localhost' || name.endsWith('.localhost') || listed(loopback, name);
}

/**
 * True for an address (not a name) that no public server lives at: loopback, private, link-local, unspecified.
 * A server elsewhere must not lead us there (spec: registry.md §3.1).
 */
export function isPrivateAddress(hostname: string): boolean {
  const name = bare(hostname);
  return isLoopback(name) || listed(privateNetworks, name);
}

/**
 * True for what leads to this machine and no other: loopback, the unspecified address, and link-local ones, where clouds
 * keep the machine's own secrets.
 */
export function isOfThisMachine(hostname: string): boolean {
  return isLoopback(hostname) || listed(ownNetworks, bare(hostname));
}

/** True when `address` lies in `network`, written `10.0.0.0/8` or `fd00::/8`; false for anything else. */
export function isInNetwork(address: string, network: string): boolean {
  const [base = '', bits = ''] = network.split('/');
  const family = isIP(base);
  if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) return false;
  return listed(networks([network]), bare(address));
}

/** A host name as URLs have it, without the brackets of IPv6. */
export function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '').toLowerCase();
}

const loopback = networks(['127.0.0.0/8', '::1/128', '::ffff:127.0.0.0/104']);
const ownNetworks = networks([
  '0.0.0.0/8',
  '::/128',
  '::ffff:0.0.0.0/104',
  '169.254.0.0/16',
  'fe80::/10',
  '::ffff:169.254.0.0/112',
  'fd00:ec2::254/128',
]);
const privateNetworks = networks([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::/128',
  'fc00::/7',
  'fe80::/10',
]);

function networks(list: readonly string[]): BlockList {
  const block = new BlockList();
  for (const network of list) {
    const [base = '', bits] = network.split('/');
    block.addSubnet(base, Number(bits), isIP(base) === 6 ? 'ipv6' : 'ipv4');
  }
  return block;
}

function listed(block: BlockList, address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  return block.check(address, family === 6 ? 'ipv6' : 'ipv4');
}
