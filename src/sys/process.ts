import { check, cString, declare } from './libc.ts';

const execveCall = declare('execve', 'int', ['void *', 'const char **', 'const char **']);
const fcntlCall = declare('fcntl', 'int', ['int', 'int', 'long']);

const setDescriptorFlags = 2;

/**
 * Replaces this process by another program: same pid, terminal and parent. Returns only by throwing. Call it from the
 * main thread. Node marks its standard streams close-on-exec, which is undone here; SIGPIPE stays ignored in the
 * new program unless it resets it (signals that are ignored are inherited).
 */
export function execve(path: string, args: readonly string[], env: readonly string[]): never {
  for (const fd of [0, 1, 2]) fcntlCall(fd, setDescriptorFlags, 0);
  check(execveCall(cString(path), [...args, null], [...env, null]), 'execve', path);
  throw new Error(`execve returned for ${path}`);
}
