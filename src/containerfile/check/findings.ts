import { BuildError, type SourceRange } from '../../core/errors.ts';
import type { CheckSettings, Warning } from '../types.ts';
import { type RuleName, ruleOf } from './rules.ts';
import { isApplied, withComments } from './settings.ts';

/** What is found, at a place, in an instruction with the comments above it. */
export interface Finding {
  readonly rule: RuleName;
  readonly text: string;
  readonly location: SourceRange;
  readonly hint?: string;
  readonly comments?: readonly string[];
}

/** Collects what a check finds, as the settings of the file and of each instruction allow. */
export class Findings {
  readonly warnings: Warning[] = [];
  readonly errors: BuildError[] = [];
  readonly #settings: CheckSettings;
  readonly #told = new Set<string>();
  #fails = false;

  constructor(settings: CheckSettings) {
    this.#settings = settings;
  }

  warn({ rule: name, text, location, hint, comments = [] }: Finding): void {
    const rule = ruleOf(name);
    const settings = withComments(this.#settings, comments);
    if (!isApplied(rule, settings)) return;
    // A file is read for each platform, and what is found in it each time is told once.
    const key = JSON.stringify([name, text, location]);
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#fails ||= settings.error;
    this.warnings.push({
      rule: name,
      text,
      location,
      description: rule.description,
      ...(rule.url !== undefined && { url: rule.url }),
      ...(hint !== undefined && { hint }),
    });
  }

  /** Does a piece of work; what fails in it is an error at the place, unless it knows a finer one. */
  attempt<T>(location: SourceRange, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof BuildError)) throw error;
      const { message, hint } = error;
      // What is wrong with a value is wrong with the file that gives it, not with the words of the command.
      const own = new BuildError('parse', message, hint === undefined ? {} : { hint });
      this.errors.push((error.code === 'usage' ? own : error).at(location));
      return undefined;
    }
  }

  /** What the settings make of the warnings: an error, where `error=true` was asked for. */
  violation(): BuildError | undefined {
    if (!this.#fails) return undefined;
    const names = [...new Set(this.warnings.flatMap(({ rule }) => rule ?? []))].sort();
    return new BuildError('parse', `lint violation found for rules: ${names.join(', ')}`, {
      location: this.warnings[0]!.location,
      hint: 'The file asks for it with error=true in its check settings; skip=RULE leaves a rule out.',
    });
  }
}
