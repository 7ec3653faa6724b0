import { seemsSecret } from '../../core/secret-names.ts';
import type { Word } from '../types.ts';
import { type Reading, warn } from './scope.ts';

/** A variable whose name says that its value should stay secret. */
export function warnOfSecret(keyword: 'ARG' | 'ENV', name: Word, reading: Reading): void {
  if (!seemsSecret(name.text)) return;
  const text = `${keyword} ${JSON.stringify(name.text)} seems to hold a secret, and stays readable in the image`;
  const hint = 'Everyone who has the image can read it: hand it to a RUN with --mount=type=secret.';
  warn({ rule: 'SecretsUsedInArgOrEnv', text, location: name.range, hint }, reading);
}

/** Ports that are right and not written as they should be; `value` is the word's value, which may hold several. */
export function checkPorts(value: string, word: Word, reading: Reading): void {
  const location = word.range;
  for (const port of value.match(/\S+/g) ?? []) {
    const protocol = port.slice(port.lastIndexOf(':') + 1).split('/')[1] ?? '';
    if (protocol !== protocol.toLowerCase()) {
      const text = `the protocol of ${port} has upper-case letters`;
      warn({ rule: 'ExposeProtoCasing', text, location }, reading);
    }
    const host = port.slice(0, Math.max(0, port.lastIndexOf(':')));
    if (host !== '') {
      const text = `an address or a port of the host has no effect here: ${port}`;
      warn({ rule: 'ExposeInvalidFormat', text, location }, reading);
    }
  }
}
