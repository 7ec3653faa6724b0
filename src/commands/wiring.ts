import { readFileSync } from 'node:fs';
import { folderHost, isPlace } from '../../cache/remote/place.ts';
import { type OpenStore, openStore } from '../../cache/store.ts';
import { digestOf, hexOf } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import type { RegistryOptions } from '../core/options.ts';
import type { Place } from '../core/place.ts';
import type { FetchBlob } from '../core/store.ts';
import type { Registry } from '../registry/registry.ts';
import type { Say } from '../registry/session.ts';
import { toldFetch } from './told-fetch.ts';

/** What most commands work with. */
export interface Parts extends AsyncDisposable {
  readonly store: OpenStore;
  readonly registry: Registry;
  /** Where blobs can be had besides registries, by the host that stands in their origins. */
  readonly places: Map<string, FetchBlob>;
}

/** What is told of the work with store and registries. */
interface Told {
  /** Takes notes: damaged things of the store, mirrors that are passed over, what registries warn of, further tries. */
  readonly emit?: Emit;
  /** Downloads are told, too. */
  readonly downloads?: boolean;
}

/** Opens the store, and registries for what is not in it. Fails with `store`. */
export async function openParts(
  root: string,
  options: RegistryOptions,
  place: Place,
  { emit, downloads = false }: Told = {},
): Promise<Parts> {
  const say: Say = (text, level = 'warning') => emit?.({ type: 'note', level, text });
  const registry = openRegistry(options, place, say);
  const places = new Map([[folderHost, fetchLocal]]);
  const fetch = routedFetch(registry.fetch, places);
  const store = await openStore(root, {
    fetch: emit !== undefined && downloads ? toldFetch(fetch, emit) : fetch,
    mapping: mappingOf(place),
    ...(emit && { onWarning: (text) => say(text) }),
  });
  return {
    store,
    registry,
    places,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await registry.close();
    },
  };
}

/** A cache in a folder is there for every command. */
const fetchLocal: FetchBlob = async (...args) =>
  (await import('../../cache/remote/folder-place.ts')).fetchFromFolder(...args);

/** Fetches from registries where such are known, and from a place that is none where they are not or do not have it. */
function routedFetch(fromRegistry: FetchBlob, places: ReadonlyMap<string, FetchBlob>): FetchBlob {
  return async (origins, descriptor, signal) => {
    const registries = origins.filter(({ host }) => !isPlace(host));
    const elsewhere = origins.find(({ host }) => places.has(host));
    if (elsewhere === undefined) return await fromRegistry(registries, descriptor, signal);
    const fromPlace = () => places.get(elsewhere.host)!([elsewhere], descriptor, signal);
    if (registries.length === 0) return await fromPlace();
    try {
      return await fromRegistry(registries, descriptor, signal);
    } catch {
      return await fromPlace();
    }
  };
}

/** Registries as this person reaches them. The client is loaded at the first call: a cached build makes none. */
export function openRegistry(options: RegistryOptions, place: Place, say?: Say): AsyncDisposable & Registry {
  let opening: Promise<Registry> | undefined;
  const open = (): Promise<Registry> => {
    opening ??= connectTo(options, place, say);
    return opening;
  };
  const close = async (): Promise<void> => (await opening)?.close();
  return {
    meaning: async (...args) => (await open()).meaning(...args),
    resolve: async (...args) => (await open()).resolve(...args),
    digest: async (...args) => (await open()).digest(...args),
    manifest: async (...args) => (await open()).manifest(...args),
    resolveAll: async (...args) => (await open()).resolveAll(...args),
    fetch: async (...args) => (await open()).fetch(...args),
    push: async (...args) => (await open()).push(...args),
    pushIndex: async (...args) => (await open()).pushIndex(...args),
    checkLogin: async (...args) => (await open()).checkLogin(...args),
    credentials: {
      find: async (...args) => (await open()).credentials.find(...args),
      writeLogin: async (...args) => (await open()).credentials.writeLogin(...args),
      removeLogin: async (...args) => (await open()).credentials.removeLogin(...args),
    },
    openFor: async (...args) => (await open()).openFor(...args),
    request: async (...args) => (await open()).request(...args),
    retrying: async (...args) => (await open()).retrying(...args),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function connectTo(options: RegistryOptions, place: Place, say: Say | undefined): Promise<Registry> {
  const { connect } = await import('../registry/registry.ts');
  const { runOutside } = await import('../../builder/sandbox/outside.ts');
  return connect(options, {
    env: process.env,
    place,
    ...(say && { say }),
    runOutside: async (argv, stdin, signal) => {
      const { code, stdout, stderr } = await runOutside(place, argv, { stdin: Buffer.from(stdin), signal });
      return { code, stdout: stdout.toString(), stderr: stderr.toString() };
    },
  });
}

/** Names how ids are mapped here: unpacked trees are shared only under the same mapping. */
function mappingOf({ isolation }: Place): string {
  if (isolation === 'root' || isolation === 'chroot') return 'root';
  if (isolation === 'none') return 'plain';
  if (isolation === 'single') return 'single';
  const maps = ['uid_map', 'gid_map'].map((name) => readFileSync(`/proc/self/${name}`, 'utf8'));
  return hexOf(digestOf(maps.join('\0'))).slice(0, 16);
}
