import { readFileSync } from 'node:fs';
import { buildCommand } from '../../src/cli/build.ts';
import { ignoredFlags } from '../../src/cli/build-flags.ts';
import { definitionOf } from '../../src/cli/definitions.ts';
import { kaniko } from '../../src/cli/kaniko.ts';

/** Builders whose flags people know, with what is to be said of some (testdata/peers). */
export const peers = ['docker', 'buildah', 'kaniko'] as const;

export type Peer = (typeof peers)[number];

export interface PeerFlag {
  readonly flag: string;
  /** Needed where tsbuild does not know the flag. */
  readonly note?: string;
}

export function peerFlags(peer: Peer): readonly PeerFlag[] {
  const text = readFileSync(`testdata/peers/${peer}.json`, 'utf8');
  return (JSON.parse(text) as { readonly flags: readonly PeerFlag[] }).flags;
}

/** What the code makes of a flag of `build`: `same`, `ignored`, the flags it stands for, or `unknown`. */
export function meaningOf(flag: string): string {
  const rewrite = kaniko[flag];
  if (rewrite !== undefined) return rewrittenTo(rewrite.to(rewrite.takes === 'value' ? 'VALUE' : 'true'));
  if (ignoredFlags.some((words) => words.split(' ')[0] === flag)) return 'ignored';
  const { flags, others } = definitionOf(buildCommand);
  const isKnown = flags.some(({ names }) => names.includes(flag)) || others.includes(flag);
  return isKnown ? 'same' : 'unknown';
}

/** The table of a peer's flags as its page of docs/ holds it. */
export function peerTable(peer: Peer): string {
  const rows = peerFlags(peer).map(({ flag, note = '' }) => {
    const words = { same: 'the same', ignored: 'taken, without effect', unknown: '–' };
    const meaning = meaningOf(flag);
    const shown = meaning in words ? words[meaning as keyof typeof words] : meaning;
    return `| \`${flag}\` | ${shown} | ${note.replaceAll('|', '\\|')} |`;
  });
  return ['| flag | here | |', '|---|---|---|', ...rows, ''].join('\n');
}

function rewrittenTo(words: readonly string[]): string {
  if (words.length === 0) return 'the same';
  return words[0]!.startsWith('-') ? `\`${words.join(' ')}\`` : `\`${words.join(' ')}\` as a word`;
}
