import { resolve } from 'node:path/posix';
import { workdirHistory } from '../../src/containerfile/history.ts';
import type { WordsInstruction } from '../../src/containerfile/types.ts';
import type { Layer, Snapshot } from '../../src/core/types.ts';
import { edited, expanded, type StageScope, type StageState } from '../state.ts';
import type { Tools } from '../tools.ts';
import { settingsOf, withHistory, withSettings } from './config.ts';
import { applyLayerStep } from './layer-step.ts';
import { type WorkdirInput, writeWorkdir } from './workdir.ts';

/** WORKDIR: the directory is made where it is missing, as a layer of its own, and stands in the configuration. */
export async function applyWorkdir(
  instruction: WordsInstruction,
  state: StageState,
  scope: StageScope,
): Promise<StageState> {
  const settings = settingsOf(state.candidates[0]!.snapshot);
  const path = resolve(settings.WorkingDir || '/', expanded(instruction.words[0]!.text, state, scope));
  const history = workdirHistory(path);
  const input = { path, user: settings.User ?? '' };
  const next =
    path === '/'
      ? edited(state, (snapshot) => withHistory(snapshot, history, true))
      : await applyLayerStep(instruction, state, scope, {
          history,
          facts: {},
          steady: true,
          first: { step: 'workdir', ...input },
          make: (below) => make(below, input, scope.tools),
        });
  return edited(next, (snapshot) => withSettings(snapshot, { WorkingDir: path }));
}

async function make(below: Snapshot, input: WorkdirInput, tools: Tools): Promise<Layer> {
  const writer = await tools.store.layers.writer();
  try {
    await writeWorkdir(input, below.layers, { writer, tools });
    return await writer.commit();
  } finally {
    await writer.abandon();
  }
}
