import { spawnSync } from 'node:child_process';

/** A handler to register: programs that begin with `magic` are started through `interpreter`. */
export interface TestHandler {
  readonly name: string;
  /** The first 20 bytes of an ELF file; its byte for the system is not compared. */
  readonly header: Buffer;
  readonly interpreter: string;
  readonly flags: string;
  readonly disabled?: boolean;
}

/**
 * The namespace maps every id to itself, which only its maker outside can say: the child looks until it was said. Its
 * network is its own, without which no runtime may mount sysfs there.
 */
const outside = `
said='until read -r line < /proc/self/uid_map && read -r line < /proc/self/gid_map; do sleep 0.01; done'
unshare --user --mount --net sh -c "$said"'; exec "$@"' sh "$@" &
own=$(readlink /proc/self/ns/user)
while [ "$(readlink /proc/$!/ns/user)" = "$own" ]; do sleep 0.01; done
echo '0 0 4294967295' > /proc/$!/uid_map && echo '0 0 4294967295' > /proc/$!/gid_map || kill $!
wait $!
`;

/**
 * The command line that runs a command, as root of a user namespace, with exactly these handlers: binfmt_misc belongs
 * to the namespace since Linux 6.7, so that the machine's own stays as it is.
 */
export function withHandlers(handlers: readonly TestHandler[], command: readonly string[]): string[] {
  const folder = '/proc/sys/fs/binfmt_misc';
  const lines = handlers.map((handler) => `printf '%s' '${lineOf(handler)}' > ${folder}/register`);
  const off = handlers.filter(({ disabled }) => disabled).map(({ name }) => `echo 0 > ${folder}/${name}`);
  const inside = [`mount -t binfmt_misc none ${folder}`, ...lines, ...off, 'exec "$@"'].join(' && ');
  return ['sh', '-c', outside, 'sh', 'sh', '-c', inside, 'sh', ...command];
}

/** Whether this machine lets us do that; said aloud where not. */
export function hasOwnHandlers(): boolean {
  const [program = '', ...args] = withHandlers([], ['true']);
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) console.warn(`skipped: programs for other machines: ${stderr.trim()}`);
  return status === 0;
}

function lineOf({ name, header, interpreter, flags }: TestHandler): string {
  const bytes = [...header.subarray(0, 20)];
  const hex = (all: readonly number[]): string =>
    all.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  return `:${name}:M::${hex(bytes)}:${hex(bytes.map((_, i) => (i === 7 ? 0 : 0xff)))}:${interpreter}:${flags}`;
}
