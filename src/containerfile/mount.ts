import { BuildError, suggestion } from '../core/errors.ts';
import { expandWord } from './expand.ts';
import { type MountDraft, type MountRequest, type MountType, requestOf } from './mount-request.ts';
import { bool, bytes, choice, number, wrong } from './mount-values.ts';
import type { Env, MountFlag } from './types.ts';

const types: readonly MountType[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const sharings = ['shared', 'private', 'locked'] as const;

/** How each key changes the draft. Keys are read from left to right: some ask for the type before them. */
const setters: Readonly<Record<string, (draft: MountDraft, value: string, key: string) => void>> = {
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

/**
 * Checks what no variable can change: the keys of a mount, and all of one that has no variable. What is left waits for
 * `mountOf`. Fails with `parse`.
 */
export function checkMount(flag: MountFlag): void {
  for (const option of flag.options) located(flag, () => nameOf(option.key, option.value));
  if (flag.options.every(({ value = '' }) => !/["'$\\`]/.test(value))) mountOf(flag, {}, { escape: '\\' });
}

/**
 * Expands the values of a mount one by one and gives it the defaults of its type. Fails with `parse` for an unknown
 * key or type (with what is near), a key before the type it belongs to, and a value that is none.
 */
export function mountOf(flag: MountFlag, env: Env, options: { readonly escape: '\\' | '`' }): MountRequest {
  return located(flag, () => {
    const draft: MountDraft = { type: 'bind' };
    for (const { key, value } of flag.options) {
      const name = nameOf(key, value);
      const plain = value === undefined ? 'true' : expandWord(value, env, options);
      setters[name]!(draft, plain, key);
    }
    return requestOf(draft);
  });
}

function nameOf(key: string, value: string | undefined): string {
  const name = Object.hasOwn(aliases, key) ? aliases[key]! : key;
  const field = value === undefined ? key : `${key}=${value}`;
  if (!Object.hasOwn(setters, name)) {
    const keys = [...Object.keys(setters), ...Object.keys(aliases)];
    const hint = suggestion(key, keys) ?? `Keys are ${keys.join(', ')}.`;
    throw wrong(`unexpected key '${key}' in '${field}'`, hint);
  }
  if (value === undefined && !bareKeys.includes(name)) {
    throw wrong(`invalid field '${field}' must be a key=value pair`, `Write ${key}=VALUE.`);
  }
  return name;
}

function onlyFor(draft: MountDraft, key: string, allowed: readonly MountType[]): void {
  if (allowed.includes(draft.type)) return;
  const hint = `Options are read from left to right: write type=${allowed[0]} before ${key}.`;
  throw wrong(`unexpected key '${key}' for mount type '${draft.type}'`, hint);
}

function located<Result>(flag: MountFlag, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw error instanceof BuildError ? error.at(flag.word.range) : error;
  }
}
