import { block, type Call, type CallOptions, type Content, call, from, type Item } from './calls.ts';

/** Attributes of a mount, as mount_setattr(2) and fsmount(2) know them. */
export const RDONLY = 1;
export const NOSUID = 2;
export const NODEV = 4;
export const NOEXEC = 8;

/** Flags of mount(2). */
const MS_REC_PRIVATE = 0x44000;

export const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE_CLOEXEC = 0x80001;
const CLOEXEC = 0x80000;
const O_PATH = 0x200000;
const O_NOFOLLOW = 0x20000;
const O_DIRECTORY = process.arch === 'arm64' ? 0x4000 : 0x10000;
/** openat2: nothing leads out of the root, and no link of /proc is followed. */
const IN_ROOT_NO_MAGIC = 0x10 | 0x02;
const S_IFREG = 0x8000;

/** From here on mounts that are made stay in this namespace, and others do not come in. */
export const privateMounts = call('mount', [0, '/', 0, MS_REC_PRIVATE, 0], {
  about: 'make its mounts its own',
});

/** mount(2) of an overlay: its options may be long, which fsconfig(2) does not take. */
export function mountOverlay(options: string, target: string): Call {
  return call('mount', ['overlay', target, 'overlay', NODEV, options], { about: 'mount the overlay' });
}

export interface FileSystem {
  readonly type: string;
  /** `true`: a flag. */
  readonly options?: Readonly<Record<string, string | true>>;
  readonly attributes: number;
}

/** A file system that is mounted nowhere yet; `into` holds its descriptor. Only the last step obeys `refused`. */
export function newFileSystem(
  { type, options = {}, attributes }: FileSystem,
  into: Content,
  refused: CallOptions = {},
): readonly Item[] {
  const context = block();
  const about = `make a file system of type ${type}`;
  const set = ([name, value]: [string, string | true]): Call =>
    call('fsconfig', value === true ? [from(context), 0, name, 0, 0] : [from(context), 1, name, value, 0], {
      about: `${about} with ${name}${value === true ? '' : `=${value}`}`,
    });
  return [
    call('fsopen', [type, 1], { about, result: from(context), ...refused }),
    ...Object.entries({ source: type, ...options }).map(set),
    call('fsconfig', [from(context), 6, 0, 0, 0], { about, ...refused }),
    call('fsmount', [from(context), 1, attributes], { about, result: into, ...refused }),
    call('close', [from(context)]),
  ];
}

/** A copy of what is mounted at `path`, with all below it where `recursive`; `into` holds its descriptor. */
export function copyTree(
  path: string,
  into: Content,
  options: CallOptions & { readonly recursive?: boolean } = {},
): Call {
  const { recursive = false, ...rest } = options;
  return call('open_tree', [AT_FDCWD, path, OPEN_TREE_CLONE_CLOEXEC | (recursive ? AT_RECURSIVE : 0)], {
    about: `take ${path}`,
    result: into,
    ...rest,
  });
}

/** Adds attributes to a copy and, where `recursive`, to all below it. */
export function setAttributes(tree: Content, attributes: number, recursive = false): Call {
  const flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  return call('mount_setattr', [tree, '', flags, block([attributes, 0, 0, 0]), 32], {
    about: 'restrict a mount',
  });
}

/** Takes attributes from a copy, where they are ours to take: in a user namespace those of the machine stay. */
export function clearAttributes(tree: Content, attributes: number): Call {
  return call('mount_setattr', [tree, '', AT_EMPTY_PATH, block([0, attributes, 0, 0]), 32], {
    about: 'loosen a mount',
    tolerate: ['EPERM'],
  });
}

/** Mounts a descriptor's tree. A link at the end of `path` is not followed: it is mounted on. */
export function attach(tree: Content, path: string, options: CallOptions = {}): readonly Item[] {
  const fromEmptyPath = 4;
  return [
    call('move_mount', [tree, '', AT_FDCWD, path, fromEmptyPath], { about: `mount on ${path}`, ...options }),
    call('close', [tree]),
  ];
}

/** Where something is mounted inside the root, which is `/` by then. */
export interface MountPoint {
  /** The path relative to the root. */
  readonly path: string;
  /** How many of its components exist for certain; what is missing is made. */
  readonly existing: number;
  readonly directory: boolean;
  /** The name people know it by. */
  readonly target: string;
}

/** Makes a mount point, as far as it is missing, and mounts on it: without leaving the root and without links of /proc. */
export function attachInside(tree: Content, point: MountPoint): readonly Item[] {
  const place = block();
  const bothEmptyPaths = 0x44;
  const about = `mount on ${point.target}`;
  return [
    ...makeMountPoint(point),
    openInside(point.path, from(place), { about, flags: O_NOFOLLOW }),
    call('move_mount', [tree, '', from(place), '', bothEmptyPaths], { about }),
    call('close', [from(place)]),
    call('close', [tree]),
  ];
}

function makeMountPoint({ path, existing, directory, target }: MountPoint): readonly Item[] {
  const parts = path.split('/');
  const about = `make the mount point ${target}`;
  return parts.flatMap((name, at) => {
    if (at < existing) return [];
    const parent = block();
    const last = at === parts.length - 1;
    return [
      openInside(parts.slice(0, at).join('/'), from(parent), { about, flags: O_DIRECTORY }),
      directory || !last ? makeDirectory(from(parent), name, about) : makeFile(from(parent), name, about),
      call('close', [from(parent)]),
    ];
  });
}

function makeDirectory(parent: Content, name: string, about: string): Call {
  return call('mkdirat', [parent, name, 0o755], { about, tolerate: ['EEXIST'] });
}

function makeFile(parent: Content, name: string, about: string): Call {
  return call('mknodat', [parent, name, S_IFREG | 0o644, 0], { about, tolerate: ['EEXIST'] });
}

/** Opens a path of the root as a place, nothing more. */
export function openInside(
  path: string,
  into: Content,
  { about, flags }: { readonly about: string; readonly flags: number },
): Call {
  const how = block([O_PATH | CLOEXEC | flags, 0, IN_ROOT_NO_MAGIC]);
  return call('openat2', [AT_FDCWD, `/${path}`, how, 24], { about, result: into });
}

/** Goes to a directory of the root; a link of /proc would lead out of it and is refused. */
export function enterInside(path: string, about: string): readonly Item[] {
  const place = block();
  return [
    openInside(path.replace(/^\/+/, ''), from(place), { about, flags: O_DIRECTORY }),
    call('fchdir', [from(place)], { about }),
    call('close', [from(place)]),
  ];
}
