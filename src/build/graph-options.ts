import { arch } from 'node:os';
import type { GraphOptions } from '../containerfile/graph.ts';
import type { BuildOptions } from '../core/options.ts';
import type { Platform } from '../core/types.ts';

/** What the graph is made for: the platform asked for, else this machine's. */
export function graphOptions({ target, buildArgs, platform }: BuildOptions): GraphOptions {
  const own = ownPlatform();
  return {
    buildArgs,
    platform: platform ?? own,
    buildPlatform: own,
    ...(target !== undefined && { target }),
  };
}

/** The platform of this machine, in the field's names. */
export function ownPlatform(): Platform {
  const names: Readonly<Record<string, Omit<Platform, 'os'>>> = {
    x64: { architecture: 'amd64' },
    ia32: { architecture: '386' },
    arm: { architecture: 'arm', variant: 'v7' },
  };
  const machine = arch();
  return { os: 'linux', ...(names[machine] ?? { architecture: machine }) };
}
