import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BaseImage } from '../../builder/base-image.ts';
import type { Context } from '../../builder/context/context.ts';
import { findIgnoreFile } from '../../builder/context/ignore.ts';
import { openContext } from '../../builder/context/local.ts';
import type { NamedContext, NamedContexts } from '../../builder/context/named.ts';
import type { Remotes } from '../../builder/context/remotes.ts';
import { emptySnapshot } from '../../builder/steps/from.ts';
import { contextName, parseContextName } from '../containerfile/context-names.ts';
import { type Digest, digestOf, isDigest } from '../core/digest.ts';
import { BuildError, usageError } from '../core/errors.ts';
import { formatPlatform } from '../core/platform.ts';
import type { Store } from '../core/store.ts';
import type { Platform } from '../core/types.ts';
import { parseConfig } from '../oci/config.ts';
import type { Others } from './others.ts';
import { remoteContext } from './remote-context.ts';

interface Surroundings {
  readonly store: Store;
  readonly remotes: Remotes;
  /** Told of an image of a layout, by the digest of its manifest. */
  readonly onLayout: (folder: string, manifest: Digest) => void;
  readonly image: (reference: string, platform: Platform) => Promise<BaseImage>;
  /** Builds at the same time, of which one may be meant. */
  readonly others?: Pick<Others, 'snapshot'> | undefined;
}

/** The contexts of `--build-context` (containerfile §6): `name=where`, and `name::platform=where` for one platform. */
export function namedContexts(
  written: Readonly<Record<string, string>>,
  around: Surroundings,
): NamedContexts {
  const places = new Map(Object.entries(written).map(([name, where]) => [keyOfName(name), { name, where }]));
  const opened = new Map<string, Promise<NamedContext>>();
  const contexts: Context[] = [];
  return {
    async find(text, platform) {
      const name = contextName(text);
      const place = places.get(`${name}::${formatPlatform(platform)}`) ?? places.get(name);
      if (place === undefined) return undefined;
      const key = JSON.stringify([place.where, platform]);
      const opening = opened.get(key) ?? open(place, platform, around);
      opened.set(key, opening);
      const found = await opening;
      if (found.kind === 'context' && !contexts.includes(found.context)) contexts.push(found.context);
      return found;
    },
    async save() {
      for (const context of contexts) await context.save();
    },
  };
}

function keyOfName(written: string): string {
  const { name, platform } = parseContextName(written);
  return platform === undefined ? name : `${name}::${platform}`;
}

interface Place {
  readonly name: string;
  readonly where: string;
}

async function open({ name, where }: Place, platform: Platform, around: Surroundings): Promise<NamedContext> {
  const image = /^docker-image:\/\/(.+)$/.exec(where)?.[1];
  const other = around.others === undefined ? undefined : /^target:(.+)$/s.exec(where)?.[1];
  if (other !== undefined)
    return { kind: 'snapshot', snapshot: await around.others!.snapshot(other, platform) };
  if (image === 'scratch') return { kind: 'snapshot', snapshot: emptySnapshot(platform) };
  if (image !== undefined)
    return { kind: 'snapshot', snapshot: (await around.image(image, platform)).snapshot };
  if (where.startsWith('oci-layout://')) return await layout(where.slice(13), platform, around);
  const named = `the context "${name}"`;
  const remote = await remoteContext(where, { remotes: around.remotes, asFile: true });
  if (remote !== undefined) return { kind: 'context', context: remote.context, name: named };
  if (/^[a-z][a-z0-9+.-]*:/.test(where)) throw unknownKind(name, where);
  return { kind: 'context', context: folder(name, where, around.store), name: named };
}

/** A folder honours the ignore file at its own root. */
function folder(name: string, where: string, store: Store): Context {
  if (statSync(where, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new BuildError('not-found', `the context "${name}" is not there: ${where} is not a folder`, {
      hint: `Correct --build-context ${name}=FOLDER.`,
    });
  }
  const ignore = findIgnoreFile({ folder: where });
  return openContext(where, {
    statCache: store.statCache(where),
    ...(ignore !== undefined && { ignoreText: ignore.text, ignoreFile: ignore.path }),
  });
}

/** `path[:name][@digest]`; the image comes into the store, without a name. */
async function layout(
  text: string,
  platform: Platform,
  { store, onLayout }: Surroundings,
): Promise<NamedContext> {
  const { path, ...choice } = layoutPlace(text);
  const { readLayoutImage } = await import('../oci/layout.ts');
  const { keep } = await import('../commands/load.ts');
  const found = await readLayoutImage(resolve(path), choice, platform);
  onLayout(path, digestOf(found.manifest.bytes));
  const { layers } = await keep(found, store);
  return { kind: 'snapshot', snapshot: { layers, config: parseConfig(found.config) } };
}

function layoutPlace(text: string): { path: string; name?: string; digest?: Digest } {
  const at = text.lastIndexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest))
    throw usageError(`--build-context: "${digest}" is not a digest`, 'Write oci-layout://FOLDER@sha256:….');
  const rest = at < 0 ? text : text.slice(0, at);
  const [, path = rest, name] = /^(.*):([\w][\w.-]*)$/s.exec(rest) ?? [];
  return { path, ...(name !== undefined && { name }), ...(digest !== undefined && { digest }) };
}

function unknownKind(name: string, where: string): BuildError {
  return usageError(
    `--build-context ${name}: '${where}' is no kind of context`,
    'Name a folder, docker-image://IMAGE, oci-layout://FOLDER, or an address over https or git.',
  );
}
