import { readFileSync } from 'node:fs';
import type { Context, ContextFile } from '../../builder/context/context.ts';
import { emptyContext } from '../../builder/context/empty.ts';
import { parseGitAddress } from '../../builder/context/git-address.ts';
import { downloadedFile, type HttpFile, isHttp, nameOfUrl } from '../../builder/context/http.ts';
import { memoryContext } from '../../builder/context/memory.ts';
import type { Remotes } from '../../builder/context/remotes.ts';
import { archiveContext } from '../../builder/context/stdin.ts';
import { openArchive, unpack } from '../../builder/context/unpacked.ts';
import { BuildError } from '../core/errors.ts';
import { MOST_TEXT_BYTES } from '../core/text-file.ts';
import { redact } from '../http/redact.ts';

export interface RemoteContext {
  readonly context: Context;
  /** The Containerfile, where the address gave one and no archive. */
  readonly containerfile?: string;
}

export interface RemoteOptions {
  readonly remotes: Remotes;
  /** Whether `.git` stays, where the address does not say. */
  readonly keepGitDir?: boolean;
  /** What is no archive is a file of the context, and not the Containerfile. */
  readonly asFile?: boolean;
}

/**
 * The context at an address (containerfile §6): a git repository, or over http a tar, or a Containerfile with no files.
 * Undefined for what is no address. No ignore file applies.
 */
export async function remoteContext(
  text: string,
  { remotes, keepGitDir = false, asFile = false }: RemoteOptions,
): Promise<RemoteContext | undefined> {
  const address = parseGitAddress(text, { short: true });
  if (address !== undefined) {
    const resolved = await remotes.commit(address);
    const files = await remotes.files(resolved, address.keepGitDir ?? keepGitDir);
    return { context: memoryContext(files) };
  }
  if (!isHttp(text)) return undefined;
  const file = await remotes.download(text);
  const unpacked = await filesOf(file, remotes);
  if (unpacked !== undefined) return { context: archiveContext(unpacked) };
  if (asFile) return { context: memoryContext([downloadedFile(file, nameOfUrl(text))]) };
  return { context: emptyContext(), containerfile: textOf(file, text) };
}

/** The text of a Containerfile that `-f` names by its address. */
export async function remoteText(url: string, remotes: Remotes): Promise<string> {
  return textOf(await remotes.download(url), url);
}

async function filesOf({ path }: HttpFile, remotes: Remotes): Promise<readonly ContextFile[] | undefined> {
  const archive = await openArchive(path);
  return archive === undefined ? undefined : await unpack(archive, await remotes.folder());
}

function textOf({ path, size }: HttpFile, url: string): string {
  const bytes = size > MOST_TEXT_BYTES ? undefined : readFileSync(path);
  const text = bytes === undefined || bytes.includes(0) ? undefined : bytes.toString('utf8');
  if (text !== undefined && !/^\s*<(?:!doctype|html|\?xml)/i.test(text)) return text;
  if (text !== undefined) {
    throw new BuildError('context', `${redact(url)} gives a web page, and no Containerfile`, {
      hint: 'The address of a git repository ends in .git; that of a file is often called "raw".',
    });
  }
  throw new BuildError('context', `${redact(url)} gives neither a tar nor a Containerfile`, {
    hint: 'Archives are tars, plain or compressed with gzip, bzip2, xz or zstd.',
  });
}
