import { formatDuration } from './durations.ts';

/*
 * The `created_by` text of each instruction, as the reference writes it (§4). All take expanded values.
 */

export interface NameValue {
  readonly name: string;
  readonly value?: string;
}

/**
 * `RUN |2 a=1 b=2 /bin/sh -c make # buildkit`: `args` are the ARGs in scope with their values at this point, of which
 * each name counts once, at its first place and with its last value; `argv` is the shell with its command, or the
 * exec form.
 */
export function runHistory(args: readonly NameValue[], argv: readonly string[]): string {
  const values = new Map(args.map(({ name, value }) => [name, value ?? '']));
  const prefix = values.size === 0 ? [] : [`|${values.size}`, ...[...values].map(([k, v]) => `${k}=${v}`)];
  return `RUN ${[...prefix, ...argv].join(' ')} # buildkit`;
}

/** `COPY --parents --chown=1000 a b /dest/ # buildkit`; heredocs are `<<NAME`, other flags are left out. */
export function copyHistory(
  kind: 'copy' | 'add',
  paths: {
    readonly sources: readonly string[];
    readonly heredocs: readonly string[];
    readonly destination: string;
  },
  flags: {
    readonly parents?: boolean | undefined;
    readonly chown?: string | undefined;
    readonly chmod?: string | undefined;
  } = {},
): string {
  const words = [
    ...(flags.parents ? ['--parents'] : []),
    ...(flags.chown ? [`--chown=${flags.chown}`] : []),
    ...(flags.chmod ? [`--chmod=${flags.chmod}`] : []),
    ...paths.sources,
    ...paths.heredocs.map((name) => `<<${name}`),
    paths.destination,
  ];
  return `${kind.toUpperCase()} ${words.join(' ')} # buildkit`;
}

export function workdirHistory(path: string): string {
  return `WORKDIR ${path}`;
}

/** `ENV a=1 b=2`, and the same for LABEL. */
export function envHistory(kind: 'env' | 'label', pairs: readonly NameValue[]): string {
  return `${kind.toUpperCase()} ${pairs.map(({ name, value }) => `${name}=${value ?? ''}`).join(' ')}`;
}

/** `ARG a=1 b`: the value where there is one. */
export function argHistory(args: readonly NameValue[]): string {
  return `ARG ${args.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`)).join(' ')}`;
}

/** `CMD ["sh" "-c" "x"]`, and the same for ENTRYPOINT; `argv` as it goes into the configuration. */
export function commandHistory(kind: 'cmd' | 'entrypoint', argv: readonly string[]): string {
  return `${kind.toUpperCase()} [${argv.map(quoted).join(' ')}]`;
}

/** `EXPOSE [1234/udp 2375/tcp]`. */
export function exposeHistory(ports: readonly string[]): string {
  return `EXPOSE [${ports.join(' ')}]`;
}

export function volumeHistory(paths: readonly string[]): string {
  return `VOLUME [${paths.join(' ')}]`;
}

export function shellHistory(argv: readonly string[]): string {
  return `SHELL [${argv.join(' ')}]`;
}

export function userHistory(user: string): string {
  return `USER ${user}`;
}

export function stopsignalHistory(signal: string): string {
  return `STOPSIGNAL ${signal}`;
}

export function maintainerHistory(name: string): string {
  return `MAINTAINER ${name}`;
}

/** `HEALTHCHECK {Test:[CMD-SHELL x] Interval:5s …}`; durations in nanoseconds. */
export function healthcheckHistory(
  test: readonly string[],
  times: {
    readonly interval?: number;
    readonly timeout?: number;
    readonly startPeriod?: number;
    readonly startInterval?: number;
    readonly retries?: number;
  } = {},
): string {
  const { interval = 0, timeout = 0, startPeriod = 0, startInterval = 0, retries = 0 } = times;
  const fields = [
    `Test:[${test.join(' ')}]`,
    `Interval:${formatDuration(interval)}`,
    `Timeout:${formatDuration(timeout)}`,
    `StartPeriod:${formatDuration(startPeriod)}`,
    `StartInterval:${formatDuration(startInterval)}`,
    `Retries:${retries}`,
  ];
  return `HEALTHCHECK {${fields.join(' ')}}`;
}

const named: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** A string in double quotes as Go prints it with %q: what cannot be printed is escaped. */
function quoted(text: string): string {
  return `"${[...text].map(quotedCharacter).join('')}"`;
}

function quotedCharacter(character: string): string {
  const escaped = named[character];
  if (escaped !== undefined) return escaped;
  const code = character.codePointAt(0)!;
  // The classes of all characters take a millisecond to compile: most commands do without.
  if (code >= 0x20 && code < 0x7f) return character;
  if (/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character)) return character;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code > 0xffff
    ? `\\U${code.toString(16).padStart(8, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}
