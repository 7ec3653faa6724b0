import { normalPath } from '../core/paths.ts';
import { wrong } from './mount-values.ts';

/** Whom what is mounted belongs to. */
export interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

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
  | (Ownership & {
      readonly type: 'cache';
      readonly id: string;
      readonly target: string;
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly readonly: boolean;
      readonly from?: string;
      readonly source: string;
    })
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes?: number }
  /** A file at `target`, a variable `env`, or both. */
  | (Ownership & {
      readonly type: 'secret';
      readonly id: string;
      readonly target?: string;
      readonly env?: string;
      readonly required: boolean;
    })
  /** The socket of an ssh agent; without `target` at a place that its number among the step's names. */
  | (Ownership & {
      readonly type: 'ssh';
      readonly id: string;
      readonly target?: string;
      readonly required: boolean;
    });

export type MountType = MountRequest['type'];

/** What the options say, before the defaults of their type. */
export interface MountDraft {
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

/** Checks what does not go together and fills in the defaults of the type. Fails with `parse`, not located. */
export function requestOf(draft: MountDraft): MountRequest {
  checkKeys(draft);
  switch (draft.type) {
    case 'bind':
      return bindMount(draft);
    case 'cache':
      return cacheMount(draft);
    case 'tmpfs':
      return tmpfsMount(draft);
    case 'secret':
      return secretMount(draft);
    case 'ssh':
      return sshMount(draft);
  }
}

/** What mounting on the root itself means: nothing of the image would be left to run. */
export function wrongTarget(target: string): Error {
  return wrong(`invalid mount target "${target}"`, 'Mount on a directory below /.');
}

function checkKeys(draft: MountDraft): void {
  const { type } = draft;
  if (type === 'bind' || type === 'tmpfs') {
    for (const key of ['mode', 'uid', 'gid'] as const) {
      if (draft[key] !== undefined)
        throw wrong(`${key} not allowed for "${type}" type mounts`, `Remove ${key}.`);
    }
  }
  if (draft.sharing !== undefined && type !== 'cache') {
    throw wrong(`invalid cache sharing set for ${type} mount`, 'Write type=cache, or remove sharing.');
  }
  if (draft.env !== undefined && type !== 'secret') {
    throw wrong(`env not allowed for "${type}" type mounts`, 'Only type=secret has an env.');
  }
  const onFile = type === 'secret' || type === 'ssh';
  if (!onFile && normalPath(draft.target ?? '') === '/') throw wrongTarget(draft.target ?? '');
}

function bindMount({ target = '', source = '/', readonly = true, from }: MountDraft): MountRequest {
  return { type: 'bind', target, source, readonly, ...(from !== undefined && { from }) };
}

function cacheMount(draft: MountDraft): MountRequest {
  const { target = '', source = '/', readonly = false, sharing = 'shared', from } = draft;
  return {
    type: 'cache',
    id: draft.id || normalPath(target),
    ...{ target, source, sharing, readonly },
    ...ownership(draft, 0o755),
    ...(from !== undefined && { from }),
  };
}

function tmpfsMount({ target = '', sizeBytes }: MountDraft): MountRequest {
  return { type: 'tmpfs', target, ...(sizeBytes !== undefined && { sizeBytes }) };
}

function secretMount(draft: MountDraft): MountRequest {
  const { target, env, from, source, required = false } = draft;
  if (from !== undefined) throw wrong('secret mount should not have a from', 'Remove from.');
  if (source && draft.id) throw wrong("both source and id can't be set", 'Remove source.');
  const id = source || draft.id || lastPart((target ?? '').replace(/\/+$/, ''));
  if (id === '') {
    throw wrong('invalid secret mount: one of source, target required', 'Write --mount=type=secret,id=NAME.');
  }
  const path = target || (env === undefined ? `/run/secrets/${lastPart(id)}` : undefined);
  return {
    ...{ type: 'secret', id, required },
    ...ownership(draft, 0o400),
    ...(path !== undefined && { target: path }),
    ...(env !== undefined && { env }),
  };
}

function sshMount(draft: MountDraft): MountRequest {
  const { target, source, from, required = false } = draft;
  if (source) throw wrong('ssh does not support source', 'Write id=NAME for the agent of --ssh NAME.');
  if (from !== undefined) throw wrong('ssh mount should not have a from', 'Remove from.');
  return {
    ...{ type: 'ssh', id: draft.id || 'default', required },
    ...ownership(draft, 0o600),
    ...(target && { target }),
  };
}

function ownership({ mode, uid = 0, gid = 0 }: MountDraft, byDefault: number): Ownership {
  return { mode: mode ?? byDefault, uid, gid };
}

function lastPart(path: string): string {
  return path.replace(/^.*\//, '');
}
