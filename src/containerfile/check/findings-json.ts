import type { BuildError } from '../../core/errors.ts';
import { filesOf } from '../parse.ts';
import type { Containerfile } from '../types.ts';
import type { Checked } from './check.ts';
import { type Location, locationOf } from './location.ts';

/** What a check found, as `--call=check,format=json` has it; `errors` are ours, the reference tells the first only. */
export interface FindingsJson {
  readonly warnings: readonly {
    readonly ruleName?: string;
    readonly description?: string;
    readonly url?: string;
    readonly detail: string;
    readonly location: Location;
  }[];
  readonly buildError?: ErrorJson;
  readonly errors?: readonly ErrorJson[];
}

interface ErrorJson {
  readonly message: string;
  readonly hint?: string;
  readonly location?: Location;
}

export function findingsJson({ warnings, errors }: Checked, containerfile: Containerfile): FindingsJson {
  const files = filesOf(containerfile);
  const [first, ...others] = errors.map((error) => errorJson(error, files));
  return {
    warnings: warnings.map(({ rule, description, url, text, location }) => ({
      ...(rule !== undefined && { ruleName: rule }),
      ...(description !== undefined && { description }),
      ...(url !== undefined && { url }),
      detail: text,
      location: locationOf(location, files),
    })),
    ...(first !== undefined && { buildError: first, errors: [first, ...others] }),
  };
}

function errorJson({ message, hint, location }: BuildError, files: readonly string[]): ErrorJson {
  return {
    message,
    ...(hint !== undefined && { hint }),
    ...(location !== undefined && { location: locationOf(location, files) }),
  };
}
