import { type Analysis, analyse } from '../containerfile/analyse.ts';
import type { BuildOptions } from '../core/options.ts';
import { graphOptions } from './graph-options.ts';
import { includeFrom } from './include.ts';
import type { Input } from './input.ts';

/** Everything that the text of the input says; with `every`, of all stages and not only of those the target needs. */
export function analyseInput(input: Input, options: BuildOptions, { every } = { every: false }): Analysis {
  options.onSource?.(input.file, input.text);
  return analyse(input.text, input.file, {
    ...graphOptions(options),
    enable: options.enable,
    include: includeFrom(input, options),
    every,
  });
}
