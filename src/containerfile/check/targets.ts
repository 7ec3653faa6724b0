import { filesOf } from '../parse.ts';
import type { Containerfile } from '../types.ts';
import { descriptionOf } from './descriptions.ts';
import { type Location, locationOf } from './location.ts';

/** A stage that a build can be asked for. */
export interface Target {
  readonly name?: string;
  readonly default?: true;
  readonly description?: string;
  readonly base: string;
  readonly platform?: string;
  readonly location: Location;
}

/** The stages of a file, as `--call=targets,format=json` has them. */
export function targetsOf(containerfile: Containerfile): Target[] {
  const { stages } = containerfile;
  const files = filesOf(containerfile);
  return stages.map(({ index, name, from }) => {
    const description = name === undefined ? undefined : descriptionOf(from.comments, name);
    return {
      ...(name !== undefined && { name }),
      ...(index === stages.length - 1 && { default: true }),
      ...(description !== undefined && { description }),
      base: from.image.text,
      ...(from.platform !== undefined && { platform: from.platform.text }),
      location: locationOf(from.range, files),
    };
  });
}
