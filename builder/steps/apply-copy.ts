import { expandHeredoc } from '../../src/containerfile/expand.ts';
import { copyHistory } from '../../src/containerfile/history.ts';
import { isUrl } from '../../src/containerfile/source-urls.ts';
import type { CopyInstruction, Heredoc } from '../../src/containerfile/types.ts';
import { type Framed, keyOf } from '../../src/core/digest.ts';
import { BuildError } from '../../src/core/errors.ts';
import type { FileList, StepFacts } from '../../src/core/ingredients.ts';
import { hideLogins } from '../../src/core/logins.ts';
import { timed } from '../../src/core/spans.ts';
import type { LayerWriter } from '../../src/core/store.ts';
import type { Layer, Snapshot } from '../../src/core/types.ts';
import { envOf, expanded, type StageScope, type StageState } from '../state.ts';
import type { Tools } from '../tools.ts';
import { settingsOf } from './config.ts';
import { type CopyInput, type CopySource, type Selection, selectFiles } from './copy.ts';
import { fetchedSelection } from './fetched.ts';
import { applyLayerStep, type LayerStep } from './layer-step.ts';
import { checkReadable, sourceOf, withSources } from './source.ts';

/** COPY and ADD: expands the words, then recalls or makes the layer. A file that changes meanwhile restarts it once. */
export async function applyCopy(
  instruction: CopyInstruction,
  state: StageState,
  scope: StageScope,
): Promise<StageState> {
  const input = inputOf(instruction, state, scope);
  const attempt = async (wanted: boolean) => {
    const source = await sourceOf(instruction.from?.text, scope, wanted);
    const fetched = await fetchedSelection(input, instruction, { state, scope });
    const selection = fetched ?? (await selectFiles(input, source, scope.tools));
    const told = { history: historyOf(input), facts: factsOf(input, instruction, scope) };
    await using copying = new Copying(selection, { source, tools: scope.tools, ...told });
    return await applyLayerStep(instruction, state, scope, copying);
  };
  try {
    return await withSources(attempt);
  } catch (error) {
    const isChange = error instanceof BuildError && error.retry && error.code === 'context';
    if (!isChange || instruction.from !== undefined) throw error;
    return await attempt(false);
  }
}

function inputOf(instruction: CopyInstruction, state: StageState, scope: StageScope): CopyInput {
  const expand = (text: string) => expanded(text, state, scope);
  const { parents, optional, unpack } = instruction;
  const [chown, chmod] = [instruction.chown, instruction.chmod].map((word) => word && expand(word.text));
  return {
    kind: instruction.kind,
    sources: instruction.sources.map(({ text }) => expand(text)),
    heredocs: instruction.heredocs.map((heredoc) => bodyOf(heredoc, state)),
    destination: expand(instruction.destination.text),
    workdir: settingsOf(state.candidates[0]!.snapshot).WorkingDir || '/',
    link: instruction.link,
    parents,
    optional,
    excludes: instruction.excludes.map(({ text }) => expand(text)),
    ...(unpack !== undefined && { unpack }),
    // What expands to nothing was not given.
    ...(chown && { chown }),
    ...(chmod && { chmod }),
  };
}

function bodyOf({ name, content, expand }: Heredoc, state: StageState): { name: string; content: string } {
  return { name, content: expand ? expandHeredoc(content, envOf(state.vars)) : content };
}

function factsOf(
  { sources, destination, workdir }: CopyInput,
  { from }: CopyInstruction,
  { tools: { ignore } }: StageScope,
): StepFacts {
  const read = from === undefined ? { ...(ignore && { ignore }) } : { from: [from.text] };
  return { sources: sources.map(shown), destination, workdir, ...read };
}

/** Tokens are in the logins and queries of addresses. */
function shown(source: string): string {
  return isUrl(source) ? hideLogins(source).replace(/\?[^#]*/, '') : source;
}

function historyOf(input: CopyInput): string {
  const { kind, sources, heredocs, destination, parents, chown, chmod } = input;
  return copyHistory(
    kind,
    { sources, heredocs: heredocs.map(({ name }) => name), destination },
    { parents, chown, chmod },
  );
}

/** What a COPY of everything in a context amounts to on an empty root: for FROM a folder. */
export async function copyOfAll(
  source: Extract<CopySource, { kind: 'context' }>,
  tools: Tools,
): Promise<AsyncDisposable & LayerStep> {
  const input = { sources: ['.'], heredocs: [], destination: '/', workdir: '/', link: false };
  const selection = await selectFiles({ kind: 'copy', ...input }, source, tools);
  return new Copying(selection, { source, history: '', facts: {}, tools });
}

interface CopyingTold extends Pick<LayerStep, 'history'> {
  readonly source: CopySource;
  readonly facts: StepFacts;
  readonly tools: Tools;
}

/**
 * One attempt at a COPY. Where file digests are not remembered, the layer is written in the same pass that takes
 * them, before it is known whether the cache holds it; on a hit it is dropped.
 */
class Copying implements LayerStep, AsyncDisposable {
  readonly history: string;
  readonly facts: StepFacts;
  readonly first: Framed | undefined;
  readonly independent: boolean;
  readonly #selection: Selection;
  readonly #source: CopySource;
  readonly #tools: Tools;
  #writer: LayerWriter | undefined;

  constructor(selection: Selection, { source, history, facts, tools }: CopyingTold) {
    this.#selection = selection;
    this.#source = source;
    this.#tools = tools;
    this.history = history;
    this.facts = facts;
    this.first = selection.firstKey;
    this.independent = selection.independent;
  }

  async content(below: Snapshot | undefined): Promise<Framed> {
    if (this.#source.kind === 'snapshot') checkReadable(this.#source.snapshot, this.#tools);
    const isKnown = this.#selection.unreadBytes === 0;
    if (isKnown || below === undefined || this.#wouldFetch(below)) return await this.#selection.contentKey();
    return await this.#write(below);
  }

  lists(): readonly FileList[] {
    const list = this.#selection.list();
    return list === undefined ? [] : [list];
  }

  async make(below: Snapshot, expected: Framed | undefined): Promise<Layer> {
    if (this.#writer === undefined) {
      const written = await this.#write(below);
      if (expected !== undefined && keyOf(written) !== keyOf(expected)) throw changed();
    }
    return await timed(this.#tools.emit, 'commit', () => this.#writer!.commit());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer?.abandon();
  }

  /** Writing needs to know what is below: not worth a download where a cache source may have the layer. */
  #wouldFetch({ layers }: Snapshot): boolean {
    const { options, store } = this.#tools;
    if (options.cacheFrom.length === 0 || this.independent) return false;
    return layers.some((layer) => !store.layers.isAtHand(layer));
  }

  async #write(below: Snapshot): Promise<Framed> {
    const writer = await this.#tools.store.layers.writer();
    this.#writer = writer;
    return await timed(this.#tools.emit, 'commit', () => this.#selection.write(below.layers, writer));
  }
}

function changed(): BuildError {
  return new BuildError('context', 'files of the context changed while they were read', {
    retry: true,
    hint: 'Build again once nothing writes to the context.',
  });
}
