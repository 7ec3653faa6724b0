import { BuildError } from '../src/core/errors.ts';
import type { Layers } from '../src/core/store.ts';
import type { LayeredView } from './view.ts';

/** Whom a process runs as. */
export interface User {
  readonly uid: number;
  readonly gid: number;
  /**
   * The groups that the process is in, `gid` first: left out of them, a process could give up its group and with it a
   * denial that files hold against that group.
   */
  readonly groups: readonly number[];
  readonly home: string;
}

/** Whom files belong to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
  /** Names that the image does not know, over which BuildKit says nothing. */
  readonly unknown: readonly string[];
}

/**
 * The user that `USER` names (`name`, `uid`, `name:group`, …), by the image's /etc/passwd and /etc/group. Without a
 * group the primary and supplementary groups are those of the files; with one, it is the only group. A number needs
 * no file. An unknown name fails with `not-found`.
 */
export async function userOf(
  view: LayeredView,
  layers: Pick<Layers, 'readFile'>,
  spec: string,
): Promise<User> {
  const { user: written, group } = split(spec);
  const user = written === '' ? '0' : written;
  const passwd = await accounts(view, layers, 'etc/passwd');
  const account =
    passwd.find((line) => line.name === user) ?? passwd.find((line) => String(line.id) === user);
  const uid = account?.id ?? idOf(user) ?? (user === 'root' ? 0 : unknown('user', user));
  const home = account?.fields[5] || '/';
  if (group === undefined) {
    const groups = account === undefined ? [] : await groupsOf(view, layers, account.name);
    const gid = idOf(account?.fields[3] ?? '') ?? 0;
    return { uid, gid, groups: [gid, ...groups.filter((id) => id !== gid)], home };
  }
  const gid = idOf(group) ?? (await groupId(view, layers, group)) ?? unknown('group', group);
  return { uid, gid, groups: [gid], home };
}

/**
 * The owner that `--chown` (and WORKDIR under `USER`) names, as BuildKit's code has it: a number without a group is
 * the group too, a name brings its primary group, an empty or `root` part is 0 without a look. A name that the image
 * does not know is reported in `unknown`: as a user it counts for 0, as a group it changes nothing.
 */
export async function ownerOf(
  view: LayeredView,
  layers: Pick<Layers, 'readFile'>,
  spec: string,
): Promise<Owner> {
  const { user, group } = split(spec);
  const missing: string[] = [];
  let [uid, gid] = [0, 0];
  if (idOf(user) !== undefined) uid = gid = idOf(user)!;
  else if (user !== '' && user !== 'root') {
    const account = (await accounts(view, layers, 'etc/passwd')).find((line) => line.name === user);
    if (account === undefined) missing.push(user);
    [uid, gid] = [account?.id ?? 0, idOf(account?.fields[3] ?? '') ?? 0];
  }
  if (group !== undefined) {
    const known =
      group === '' || group === 'root' ? 0 : (idOf(group) ?? (await groupId(view, layers, group)));
    if (known === undefined) missing.push(group);
    gid = known ?? gid;
  }
  return { uid, gid, unknown: missing };
}

/** True when every part of an owner is a number or needs no look into the image. */
export function isNumericOwner(spec: string): boolean {
  const { user, group } = split(spec);
  return [user, group ?? ''].every((part) => part === '' || part === 'root' || idOf(part) !== undefined);
}

interface Account {
  readonly name: string;
  readonly id: number;
  readonly fields: readonly string[];
}

function split(spec: string): { user: string; group?: string } {
  const colon = spec.indexOf(':');
  return colon < 0 ? { user: spec } : { user: spec.slice(0, colon), group: spec.slice(colon + 1) };
}

/** An id; the highest number is none, but means "leave it as it is" to the system calls. */
function idOf(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) < 0xffffffff ? Number(text) : undefined;
}

async function groupId(view: LayeredView, layers: Pick<Layers, 'readFile'>, name: string) {
  return (await accounts(view, layers, 'etc/group')).find((line) => line.name === name)?.id;
}

async function groupsOf(
  view: LayeredView,
  layers: Pick<Layers, 'readFile'>,
  user: string,
): Promise<number[]> {
  const groups = await accounts(view, layers, 'etc/group');
  return groups.filter((line) => line.fields[3]?.split(',').includes(user)).map((line) => line.id);
}

/** The lines of /etc/passwd or /etc/group: name, password, id, … An image without the file has none. */
async function accounts(
  view: LayeredView,
  layers: Pick<Layers, 'readFile'>,
  path: string,
): Promise<Account[]> {
  const { entry } = await view.resolve(path, { followLast: true });
  if (entry?.type !== 'file') return [];
  const place = view.placeOf(entry);
  const text = (await layers.readFile(place.layer, place.path)).toString('utf8');
  return text.split('\n').flatMap((line) => {
    const fields = line.trim().split(':');
    const id = idOf(fields[2] ?? '');
    return id === undefined || fields[0] === '' || line.startsWith('#')
      ? []
      : [{ name: fields[0]!, id, fields }];
  });
}

function unknown(what: 'user' | 'group', name: string): never {
  const file = what === 'user' ? '/etc/passwd' : '/etc/group';
  throw new BuildError('not-found', `the ${what} "${name}" is not in the image's ${file}`, {
    hint: `Create it in an earlier RUN, or give its number.`,
  });
}
