import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './sandbox-place.ts';

/** A machine of its own as far as the network goes: its address, its loopback, its name server there. */
export interface Machine {
  readonly address: string;
  /** Where it greets: on its loopback with "inside", on its address with "outside". */
  readonly port: number;
  /** The command line that runs `command` on it. Programs of `without` are not there, and /dev/net/tun has that mode. */
  run(command: readonly string[], options?: MachineOptions): string[];
}

export interface MachineOptions {
  readonly without?: readonly string[];
  readonly tun?: 'open' | 'closed' | 'absent';
}

const ADDRESS = '192.0.2.1';
const PORT = 7077;

/** What runs on it ends with it; the servers also where it is killed. Needs root, and the programs of `machinePrograms`. */
export async function newMachine(folder: string): Promise<Machine> {
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  for (const [name, mode] of [
    ['open', 0o666],
    ['closed', 0o600],
  ] as const) {
    execFileSync('mknod', [join(folder, name), 'c', '10', '200']);
    chmodSync(join(folder, name), mode);
  }
  mkdirSync(join(folder, 'absent'));
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\nsearch machine.example\n');
  await bundle('machine-servers.ts', join(folder, 'servers.mjs'));
  return {
    address: ADDRESS,
    port: PORT,
    run: (command, { without = [], tun = 'open' } = {}) => [
      ...['unshare', '--net', '--mount', 'sh', '-euc', script, 'sh'],
      ...[folder, tun, without.join(' '), ...command],
    ],
  };
}

export const machinePrograms = ['unshare', 'setpriv', 'ip', 'mknod'];

const script = `folder=$1 tun=$2 without=$3
shift 3
if [ $tun = absent ]; then mount --bind "$folder/absent" /dev/net; else mount --bind "$folder/$tun" /dev/net/tun; fi
mount --bind "$folder/resolv.conf" /etc/resolv.conf
for name in $without; do mount --bind /dev/null "$(command -v $name)"; done
ip link set lo up
ip link add eth0 type veth peer name eth1
ip addr add ${ADDRESS}/24 dev eth0
ip link set eth1 up
ip link set eth0 up
ip route add default via 192.0.2.254
rm -f "$folder/ready"
setpriv --pdeathsig KILL node "$folder/servers.mjs" ${ADDRESS} ${PORT} "$folder/ready" &
servers=$!
while ! [ -s "$folder/ready" ]; do sleep 0.01; done
set +e
"$@"
code=$?
kill -9 $servers
exit $code`;
