import { BuildError } from '../core/errors.ts';
import { expandWord } from './expand.ts';
import { suggestion } from './statement.ts';
import type { Env, MountFlag } from './types.ts';

/**
 * One `--mount` of a RUN, its values expanded and checked (§3.1). A relative `target` is joined to WORKDIR by the
 * caller, who must refuse one that ends up as `/`.
 */
export type MountRequest =
  /** `source` is a path inside `from`: a stage, an image, or the context where it is absent. */
  | {
      readonly type: 'bind';
      readonly target: string;
      readonly source: string;
      readonly from?: string;
      readonly readonly: boolean;
    }
  /** `id` is the target where it is not given; owner and mode are for a mount that is made anew. */
  | {
      readonly type: 'cache';
      readonly id: string;
      readonly target: string;
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly readonly: boolean;
      readonly from?: string;
      readonly source: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes?: number }
  /** A file at `target`, a variable `env`, or both. */
  | {
      readonly type: 'secret';
      readonly id: string;
      readonly target?: string;
      readonly env?: string;
      readonly required: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

type MountType = MountRequest['type'] | 'ssh';

/** What the options say, before the defaults of their type. */
interface Draft {
  type: MountType;
  target?: string;
  source?: string;
  from?: string;
  readonly?: boolean;
  id?: string;
  sharing?: 'shared' | 'private' | 'locked';
  sizeBytes?: number;
  env?: string;
  required?: boolean;
  mode?: number;
  uid?: number;
  gid?: number;
}

const types: readonly MountType[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const sharings = ['shared', 'private', 'locked'] as const;

/** How each key changes the draft. Keys are read from left to right: some ask for the type before them. */
const setters: Readonly<Record<string, (draft: Draft, value: string, key: string) => void>> = {
  type: (draft, value) => {
    draft.type = choice(value, types, 'mount type');
  },
  from: (draft, value) => {
    if (value !== '') draft.from = value;
  },
  source: (draft, value) => {
    draft.source = value;
  },
  target: (draft, value) => {
    draft.target = value;
  },
  readonly: (draft, value, key) => {
    draft.readonly = bool(value, key);
  },
  readwrite: (draft, value, key) => {
    draft.readonly = !bool(value, key);
  },
  required: (draft, value, key) => {
    onlyFor(draft, key, ['secret', 'ssh']);
    draft.required = bool(value, key);
  },
  size: (draft, value, key) => {
    onlyFor(draft, key, ['tmpfs']);
    draft.sizeBytes = bytes(value, key);
  },
  id: (draft, value) => {
    draft.id = value;
  },
  env: (draft, value) => {
    draft.env = value;
  },
  sharing: (draft, value) => {
    draft.sharing = choice(value, sharings, 'sharing value');
  },
  mode: (draft, value, key) => {
    draft.mode = number(value, 8, key);
  },
  uid: (draft, value, key) => {
    draft.uid = number(value, 10, key);
  },
  gid: (draft, value, key) => {
    draft.gid = number(value, 10, key);
  },
};

const aliases: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
  rw: 'readwrite',
};

/** Keys that may stand without a value. */
const bareKeys = ['readonly', 'readwrite', 'required'];

/** Checks the keys of a mount, which no variable can change; values wait for `mountOf`. Fails with `parse`. */
export function checkMount(flag: MountFlag): void {
  for (const option of flag.options) located(flag, () => nameOf(option.key, option.value));
}

/**
 * Expands the values of a mount one by one and gives it the defaults of its type. Fails with `parse` for an unknown
 * key or type (with what is near), a key before the type it belongs to, and a value that is none.
 */
export function mountOf(flag: MountFlag, env: Env, options: { readonly escape: '\\' | '`' }): MountRequest {
  return located(flag, () => {
    const draft: Draft = { type: 'bind' };
    for (const { key, value } of flag.options) {
      const name = nameOf(key, value);
      const plain = value === undefined ? 'true' : expandWord(value, env, options);
      setters[name]!(draft, plain, key);
    }
    checkTogether(draft);
    return finished(draft);
  });
}

function nameOf(key: string, value: string | undefined): string {
  const name = Object.hasOwn(aliases, key) ? aliases[key]! : key;
  if (!Object.hasOwn(setters, name)) {
    const hint = suggestion(key, [...Object.keys(setters), ...Object.keys(aliases)]);
    throw wrong(`unexpected key "${key}" in --mount`, hint);
  }
  if (value === undefined && !bareKeys.includes(name)) {
    throw wrong(`invalid field "${key}" in --mount`, `Write ${key}=VALUE.`);
  }
  return name;
}

function checkTogether(draft: Draft): void {
  const { type } = draft;
  if (type === 'bind' || type === 'tmpfs') {
    for (const key of ['mode', 'uid', 'gid'] as const) {
      if (draft[key] !== undefined) throw wrong(`${key} not allowed for ${type} mounts`);
    }
  }
  if (draft.sharing !== undefined && type !== 'cache') throw wrong(`sharing not allowed for ${type} mounts`);
  if (draft.env !== undefined && type !== 'secret') throw wrong(`env not allowed for ${type} mounts`);
  if (type === 'secret') {
    if (draft.from !== undefined) throw wrong('secret mounts cannot have a from');
    if (draft.source !== undefined && draft.id !== undefined) {
      throw wrong('a secret mount cannot have both source and id', 'Remove source.');
    }
  }
  if (type !== 'secret' && type !== 'ssh' && clean(draft.target ?? '') === '/') {
    throw wrong(`invalid mount target "${draft.target}"`, 'Mount on a directory below /.');
  }
}

function finished(draft: Draft): MountRequest {
  switch (draft.type) {
    case 'bind':
      return {
        type: 'bind',
        target: draft.target ?? '',
        source: draft.source ?? '/',
        readonly: draft.readonly ?? true,
        ...(draft.from !== undefined && { from: draft.from }),
      };
    case 'cache':
      return cacheMount(draft);
    case 'tmpfs':
      return {
        type: 'tmpfs',
        target: draft.target ?? '',
        ...(draft.sizeBytes !== undefined && { sizeBytes: draft.sizeBytes }),
      };
    case 'secret':
      return secretMount(draft);
    case 'ssh':
      throw wrong('RUN --mount=type=ssh is not supported by this version of tsbuild');
  }
}

function cacheMount(draft: Draft): MountRequest {
  const target = draft.target ?? '';
  return {
    type: 'cache',
    id: draft.id || clean(target),
    target,
    sharing: draft.sharing ?? 'shared',
    readonly: draft.readonly ?? false,
    source: draft.source ?? '/',
    mode: draft.mode ?? 0o755,
    uid: draft.uid ?? 0,
    gid: draft.gid ?? 0,
    ...(draft.from !== undefined && { from: draft.from }),
  };
}

function secretMount(draft: Draft): MountRequest {
  const { target, env } = draft;
  const id = draft.source || draft.id || (target ?? '').replace(/\/+$/, '').replace(/^.*\//, '');
  if (id === '') throw wrong('a secret mount needs an id or a target', 'Write --mount=type=secret,id=NAME.');
  const path = target || (env === undefined ? `/run/secrets/${id.replace(/^.*\//, '')}` : undefined);
  return {
    type: 'secret',
    id,
    required: draft.required ?? false,
    mode: draft.mode ?? 0o400,
    uid: draft.uid ?? 0,
    gid: draft.gid ?? 0,
    ...(path !== undefined && { target: path }),
    ...(env !== undefined && { env }),
  };
}

/** A path cleaned of empty parts, `.` and `..`; a relative one stays relative. */
function clean(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return (path.startsWith('/') ? '/' : '') + parts.join('/');
}

function choice<Value extends string>(text: string, values: readonly Value[], what: string): Value {
  const value = values.find((candidate) => candidate === text.toLowerCase());
  if (value !== undefined) return value;
  throw wrong(
    `unsupported ${what} "${text}"`,
    suggestion(text, values) ?? `It is one of ${values.join(', ')}.`,
  );
}

function onlyFor(draft: Draft, key: string, allowed: readonly MountType[]): void {
  if (allowed.includes(draft.type)) return;
  const hint = `Options are read from left to right: write type=${allowed[0]} before ${key}.`;
  throw wrong(`unexpected key "${key}" for mount type "${draft.type}"`, hint);
}

function bool(text: string, key: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw wrong(`invalid value for ${key}: ${text}`, 'Write true or false.');
}

function number(text: string, base: 8 | 10, key: string): number {
  const value = (base === 8 ? /^[0-7]+$/ : /^\d+$/).test(text) ? Number.parseInt(text, base) : Number.NaN;
  if (value <= 0xffffffff) return value;
  throw wrong(`invalid value ${text} for ${key}`, base === 8 ? 'Write an octal number.' : 'Write a number.');
}

/** `64m`, `1.5GiB`, `1024`: powers of 1024. */
function bytes(text: string, key: string): number {
  const match = /^(\d+(?:\.\d+)?) ?(?:([kmgtp])i?)?b?$/i.exec(text);
  if (match === null)
    throw wrong(`invalid value for ${key}: ${text}`, 'Write bytes, or a number with k, m or g.');
  const power = 'kmgtp'.indexOf(match[2]?.toLowerCase() ?? '') + 1;
  return Math.floor(Number(match[1]) * 1024 ** (match[2] === undefined ? 0 : power));
}

function wrong(message: string, hint?: string): BuildError {
  return new BuildError('parse', message, hint === undefined ? {} : { hint });
}

function located<Result>(flag: MountFlag, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw error instanceof BuildError ? error.at(flag.word.range) : error;
  }
}
