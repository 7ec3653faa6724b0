import { describe, expect, it } from 'vitest';
import { checkOptions, imageKey } from '../../../src/build/check-facts.ts';
import { graphOf } from '../../../src/containerfile/graph.ts';
import { parse } from '../../../src/containerfile/parse.ts';
import type { BuildOptions } from '../../../src/core/options.ts';
import type { Platform } from '../../../src/core/types.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };

/** The platform that a check takes a base image for, which is there for `has` alone. */
function takenFor(text: string, has: Platform, platforms: readonly Platform[] = []): string | undefined {
  const { stages } = graphOf(parse(text, 'f'), { buildArgs: {}, platform: amd64 });
  const options = { contexts: {}, buildArgs: {}, platforms } as unknown as BuildOptions;
  const config = { ...has, rootfs: { type: 'layers', diff_ids: [] } } as const;
  const configs = new Map([[imageKey('a', stages[0]!.platform), config]]);
  return checkOptions(options, {}, configs).base(stages[0]!)?.platform.architecture;
}

describe('the platform of a base image', () => {
  it('is as good where this machine runs it and none was asked for', () => {
    expect(takenFor('FROM a', { os: 'linux', architecture: '386' })).toBe('amd64');
  });

  it('is its own where one was asked for', () => {
    const older = { os: 'linux', architecture: '386' };
    expect(takenFor('FROM a', older, [amd64])).toBe('386');
    expect(takenFor('FROM --platform=linux/amd64 a', older)).toBe('386');
  });

  it('is its own where this machine does not run it', () => {
    expect(takenFor('FROM a', { os: 'linux', architecture: 'arm64' })).toBe('arm64');
  });
});
