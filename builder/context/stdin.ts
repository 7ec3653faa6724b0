import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BuildError } from '../../src/core/errors.ts';
import { readText } from '../../src/core/text-file.ts';
import { parentOf } from '../path-resolve.ts';
import type { Context, ContextFile } from './context.ts';
import { emptyContext } from './empty.ts';
import { memoryContext } from './memory.ts';
import { openArchive, unpack } from './unpacked.ts';

export interface StdinContext {
  readonly context: Context;
  /** The Containerfile, where stdin was one and no archive. */
  readonly containerfile?: string;
}

/**
 * Takes what came on stdin (`tsbuild -`): a tar, plain or compressed, is the context; anything else is a Containerfile
 * with an empty context. `folder` is a private one that outlives the context. No ignore file applies (containerfile
 * §6). Fails with `context` where nothing came.
 */
export async function readStdin(stdin: AsyncIterable<Uint8Array>, folder: string): Promise<StdinContext> {
  const spooled = join(folder, 'stdin');
  await pipeline(Readable.from(stdin, { objectMode: true }), createWriteStream(spooled, { mode: 0o600 }));
  const archive = await openArchive(spooled);
  if (archive !== undefined) {
    const files = await unpack(archive, join(folder, 'files'));
    return { context: archiveContext(files) };
  }
  const containerfile = readText(spooled, 'what came on stdin');
  if (containerfile.trim() === '') {
    throw new BuildError('context', 'nothing came on stdin', {
      hint: 'Pipe a tar of the context or a Containerfile into tsbuild, or name a folder.',
    });
  }
  return { context: emptyContext(), containerfile };
}

/**
 * The files of an archive as a context: they belong to root, whoever packed them. Fails with `context` where one stands
 * below what is no folder: a link there would lead whoever reads the file out of the context.
 */
export function archiveContext(files: readonly ContextFile[]): Context {
  const types = new Map(files.map(({ entry }) => [entry.path, entry.type]));
  for (const path of types.keys()) {
    for (let at = parentOf(path); at !== ''; at = parentOf(at)) {
      if ((types.get(at) ?? 'dir') !== 'dir') throw notInFolder(path, at);
    }
  }
  return memoryContext(files.map(({ entry, ...file }) => ({ ...file, entry: { ...entry, uid: 0, gid: 0 } })));
}

function notInFolder(path: string, parent: string): BuildError {
  return new BuildError('context', `the archive holds "${path}" below "${parent}", which is no folder`, {
    hint: 'Pack the folder that the link leads to, and the link beside it.',
  });
}
