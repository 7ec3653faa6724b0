import { BuildError, suggestion } from '../core/errors.ts';

/** Signals of Linux by name; RTMIN and RTMAX also take an offset. */
const names = new Set([
  ...['ABRT', 'ALRM', 'BUS', 'CHLD', 'CLD', 'CONT', 'FPE', 'HUP', 'ILL', 'INT', 'IO', 'IOT', 'KILL', 'PIPE'],
  ...['POLL', 'PROF', 'PWR', 'QUIT', 'SEGV', 'STKFLT', 'STOP', 'SYS', 'TERM', 'TRAP', 'TSTP', 'TTIN', 'TTOU'],
  ...['URG', 'USR1', 'USR2', 'VTALRM', 'WINCH', 'XCPU', 'XFSZ', 'RTMIN', 'RTMAX'],
]);

/** Checks the value of STOPSIGNAL, a name with or without SIG or a number from 1 on; it is kept as written. */
export function checkSignal(text: string): void {
  if (/^\d+$/.test(text) ? Number(text) > 0 && Number(text) <= 64 : isName(text)) return;
  throw new BuildError('parse', `invalid signal: ${text}`, {
    hint:
      suggestion(
        text,
        [...names].map((name) => `SIG${name}`),
      ) ?? 'Write a name such as SIGTERM, or a number from 1 to 64.',
  });
}

function isName(text: string): boolean {
  const name = text.toUpperCase().replace(/^SIG/, '');
  const offset = /^RT(MIN\+|MAX-)(\d+)$/.exec(name);
  if (offset === null) return names.has(name);
  return Number(offset[2]) <= (offset[1] === 'MIN+' ? 15 : 14);
}
