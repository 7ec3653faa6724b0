import { describe, expect, it } from 'vitest';
import { allCommands } from '../../../src/cli/all-commands.ts';
import { meaningOf, peerFlags, peers, peerTable } from '../../support/peer-flags.ts';
import { referenceText } from '../../support/reference-text.ts';
import { writtenPart } from '../../support/written-part.ts';

describe('pages of docs/ that are made from the code', () => {
  it('reference.md: every command and flag', () => {
    const wanted = referenceText(allCommands);
    expect(writtenPart('docs/reference.md', wanted)).toBe(wanted.trim());
  });

  it.each(peers)('from-%s.md: the flags of another builder', (peer) => {
    const wanted = peerTable(peer);
    expect(writtenPart(`docs/from-${peer}.md`, wanted)).toBe(wanted.trim());
  });

  it.each(peers)('what %s has and tsbuild lacks comes with a word about it', (peer) => {
    const silent = peerFlags(peer).filter(({ flag, note }) => meaningOf(flag) === 'unknown' && !note);
    expect(silent).toEqual([]);
  });
});
