import type { Platform } from '../../src/core/types.ts';
import type { NamedContext } from '../context/named.ts';
import { remember } from '../remember.ts';
import type { StageState } from '../state.ts';
import type { Tools } from '../tools.ts';
import { copyOfAll } from './apply-copy.ts';
import { withHistory } from './config.ts';
import { emptySnapshot, startingPoint } from './from.ts';

/** FROM a context of files: its files as the one layer of an image that says nothing else (containerfile §6). */
export async function stateOfFiles(
  files: Extract<NamedContext, { kind: 'context' }>,
  {
    platform,
    obtainable,
    from,
  }: { readonly platform: Platform; readonly obtainable: boolean; readonly from: string },
  tools: Tools,
): Promise<{ readonly state: StageState; readonly local: boolean }> {
  const start = startingPoint(emptySnapshot(platform));
  await using copying = await copyOfAll(files, tools);
  const policy = { lookUp: true, obtainable };
  const { candidates, cached } = await remember(start.candidates, copying, policy, tools);
  const told = candidates.map((candidate) => ({
    ...candidate,
    snapshot: withHistory(candidate.snapshot, from, false),
  }));
  return { state: { ...start, candidates: told }, local: cached };
}
