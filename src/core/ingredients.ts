import type { Digest, Framed } from './digest.ts';

/** The image that a stage stands on in the end. */
export interface StepBase {
  /** As the Containerfile names it. */
  readonly name: string;
  /** Of its manifest in a registry, where it has been in one. */
  readonly digest?: Digest;
  /** Of its configuration; absent where it is no image. */
  readonly id?: Digest;
  /** How many of the layers below a step are its own. */
  readonly layers: number;
  /** Names of the variables that it sets. */
  readonly variables: readonly string[];
}

/** What people know of a step and no key of it holds: names for what the keys hold. */
export interface StepFacts {
  /** Names of those variables that are build arguments. */
  readonly args?: readonly string[];
  /** Of a RUN in shell form: what stands before its text. */
  readonly shell?: readonly string[];
  /** Of a COPY: its words as they were expanded; addresses without logins and queries. */
  readonly sources?: readonly string[];
  readonly destination?: string;
  readonly workdir?: string;
  /** What `--from` names, of a COPY or of each mount whose files are read; absent for the build context. */
  readonly from?: readonly (string | undefined)[];
  /** The ignore file that the context was read by. */
  readonly ignore?: { readonly name: string; readonly text: string };
}

/** What a step's keys were made of, as it is kept to explain a later miss. No secret stands in it. */
export interface Ingredients {
  /** diffIds of the layers below it; none where they do not count (`COPY --link`). */
  readonly below: readonly Digest[];
  /** Of the key that needs nothing at hand, and of the one that names content. */
  readonly first?: Framed;
  readonly content?: Framed;
  readonly base?: StepBase;
  /** The steps that made what is below it on top of the base, as people see them. */
  readonly made: readonly string[];
  readonly facts: StepFacts;
  /** Of each digest of files among the content ingredients: where its items lie in their source. */
  readonly tops: Readonly<Record<string, readonly string[]>>;
}

/** The files that a digest among the content ingredients stands for: the text that it is of (builder/steps/copy-key.ts). */
export interface FileList {
  readonly of: Digest;
  readonly text: string;
  /** Where each of its items lies in their source; '' for what lies nowhere. */
  readonly tops: readonly string[];
}

/** Ingredients by key. They outlive what the key led to, within a bound of their own. */
export interface KeptIngredients {
  /** Undefined where nothing is kept of it (any more). */
  find(key: Digest): Ingredients | undefined;
  /** Never throws: on a full disk less can be explained, and that is all. */
  put(key: Digest, ingredients: Omit<Ingredients, 'tops'>, lists: readonly FileList[]): void;
  /** The text of a list of files. */
  list(files: Digest): Buffer | undefined;
  /** ISO time at which the result under a key, or a layer by its diffId, was taken away; undefined where it was not. */
  prunedAt(digest: Digest): string | undefined;
}
