import { expandHeredoc } from '../src/containerfile/expand.ts';
import { copyHistory } from '../src/containerfile/history.ts';
import type { CopyInstruction, Heredoc } from '../src/containerfile/types.ts';
import { type Framed, keyOf } from '../src/core/digest.ts';
import { BuildError } from '../src/core/errors.ts';
import type { LayerWriter } from '../src/core/store.ts';
import type { Layer, Snapshot } from '../src/core/types.ts';
import { applyLayerStep, type LayerStep } from './layer-step.ts';
import { sourceOf } from './source.ts';
import { expanded, type StageScope, type StageState } from './state.ts';
import { settingsOf } from './steps/config.ts';
import { type CopyInput, type Selection, selectFiles } from './steps/copy.ts';
import type { Tools } from './tools.ts';

/** COPY and ADD: expands the words, then recalls or makes the layer. A file that changes meanwhile restarts it once. */
export async function applyCopy(
  instruction: CopyInstruction,
  state: StageState,
  scope: StageScope,
): Promise<StageState> {
  const input = inputOf(instruction, state, scope);
  const source = await sourceOf(instruction.from?.text, scope);
  const attempt = async () => {
    const selection = await selectFiles(input, source, scope.tools);
    await using copying = new Copying(selection, historyOf(input), scope.tools);
    return await applyLayerStep(instruction, state, scope, copying);
  };
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof BuildError && error.retry) || source.kind !== 'context') throw error;
    return await attempt();
  }
}

function inputOf(instruction: CopyInstruction, state: StageState, scope: StageScope): CopyInput {
  const expand = (text: string) => expanded(text, state, scope);
  const { chown, chmod } = instruction;
  return {
    kind: instruction.kind,
    sources: instruction.sources.map(({ text }) => expand(text)),
    heredocs: instruction.heredocs.map((heredoc) => bodyOf(heredoc, state)),
    destination: expand(instruction.destination.text),
    workdir: settingsOf(state.candidates[0]!.snapshot).WorkingDir || '/',
    link: instruction.link,
    ...(chown !== undefined && { chown: expand(chown.text) }),
    ...(chmod !== undefined && { chmod: expand(chmod.text) }),
  };
}

function bodyOf({ name, content, expand }: Heredoc, state: StageState): { name: string; content: string } {
  return { name, content: expand ? expandHeredoc(content, Object.fromEntries(state.vars)) : content };
}

function historyOf({ kind, sources, heredocs, destination, chown, chmod }: CopyInput): string {
  return copyHistory(
    kind,
    { sources, heredocs: heredocs.map(({ name }) => name), destination },
    { chown, chmod },
  );
}

/**
 * One attempt at a COPY. Where file digests are not remembered, the layer is written in the same pass that takes
 * them, before it is known whether the cache holds it; on a hit it is dropped.
 */
class Copying implements LayerStep, AsyncDisposable {
  readonly history: string;
  readonly first: Framed | undefined;
  readonly independent: boolean;
  readonly #selection: Selection;
  readonly #tools: Tools;
  #writer: LayerWriter | undefined;

  constructor(selection: Selection, history: string, tools: Tools) {
    this.#selection = selection;
    this.#tools = tools;
    this.history = history;
    this.first = selection.firstKey;
    this.independent = selection.independent;
  }

  async content(below: Snapshot): Promise<Framed> {
    if (this.#selection.unreadBytes === 0) return await this.#selection.contentKey();
    return await this.#write(below);
  }

  async make(below: Snapshot, expected: Framed | undefined): Promise<Layer> {
    if (this.#writer === undefined) {
      const written = await this.#write(below);
      if (expected !== undefined && keyOf(written) !== keyOf(expected)) throw changed();
    }
    return await this.#writer!.commit();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer?.abandon();
  }

  async #write(below: Snapshot): Promise<Framed> {
    this.#writer = await this.#tools.store.layers.writer();
    return await this.#selection.write(below.layers, this.#writer);
  }
}

function changed(): BuildError {
  return new BuildError('context', 'Files of the context changed while they were read.', {
    retry: true,
    hint: 'Build again once nothing writes to the context.',
  });
}
