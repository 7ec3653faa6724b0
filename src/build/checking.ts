import type { Tools } from '../../builder/tools.ts';
import type { Analysis } from '../containerfile/analyse.ts';
import { type Checked, type CheckOptions, check } from '../containerfile/check/check.ts';
import { isApplied, settingsFor, withComments } from '../containerfile/check/settings.ts';
import type { CheckSettings, Warning } from '../containerfile/types.ts';
import { BuildError } from '../core/errors.ts';
import type { EventBody } from '../core/events.ts';
import type { BuildOptions } from '../core/options.ts';
import type { ImageConfig } from '../core/types.ts';
import { checkOptions, imageKey } from './check-facts.ts';
import type { Input } from './input.ts';

/**
 * The check that goes with a build: errors before anything is made, while the base images are not known, and warnings
 * at its end, when they are.
 */
export class Checking {
  readonly #analysis: Analysis;
  readonly #options: BuildOptions;
  readonly #configs = new Map<string, ImageConfig>();
  readonly #facts: CheckOptions;
  /** What the last check found; undefined once more is known. */
  #found: Checked | undefined;

  constructor(analysis: Analysis, input: Pick<Input, 'ignore'>, options: BuildOptions) {
    this.#analysis = analysis;
    this.#options = options;
    this.#facts = checkOptions(options, input, this.#configs);
  }

  /** What is to be built. Fails with all that is wrong with the file at once, having told its warnings. */
  sound(): Analysis {
    const { errors, warnings } = this.#check();
    if (errors.length > 0) for (const warning of warnings) this.#options.emit(noteOf(warning));
    BuildError.throwAll(errors);
    return this.#analysis;
  }

  /** The same tools; they tell the check of the base images that they find. */
  learning(tools: Tools): Tools {
    const image: Tools['image'] = async (reference, platform) => {
      const found = await tools.image(reference, platform);
      this.#configs.set(imageKey(reference, platform), found.snapshot.config);
      this.#found = undefined;
      return found;
    };
    return { ...tools, image };
  }

  /** Where warnings are errors, asks for the base images first, so that nothing is built in vain. */
  async demand({ image }: Tools): Promise<void> {
    if (!this.#isStrict()) return;
    const stages = this.#analysis.graphs.flatMap((graph) => graph.stages);
    const asked = stages.map(({ base, platform }) =>
      base.kind === 'image' ? image(base.reference, platform) : undefined,
    );
    // An image that cannot be had is told by the step that wants it.
    await Promise.allSettled(asked);
    BuildError.throwAll(this.#check().errors);
  }

  /** What the file is warned of, with what is known of its base images by now. */
  warnings(): readonly Warning[] {
    return this.#check().warnings;
  }

  /** Whether the file's settings let a rule be told that only a step can find. */
  applies(rule: string): boolean {
    return isApplied({ name: rule, experimental: false }, this.#settings());
  }

  #check(): Checked {
    this.#found ??= check(this.#analysis, this.#facts);
    return this.#found;
  }

  #isStrict(): boolean {
    const { containerfile } = this.#analysis;
    const settings = this.#settings();
    const instructions = containerfile.stages.flatMap(({ from, instructions }) => [from, ...instructions]);
    return instructions.some(({ comments }) => withComments(settings, comments).error) || settings.error;
  }

  #settings(): CheckSettings {
    return settingsFor(this.#analysis.containerfile.check, this.#options.buildArgs);
  }
}

/** A warning as an event. */
export function noteOf(warning: Warning): EventBody {
  return { type: 'note', level: 'warning', ...warning };
}
