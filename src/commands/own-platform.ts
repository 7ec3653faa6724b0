import { arch } from 'node:os';
import type { Platform } from '../core/types.ts';

/** This machine's platform, for images of several. */
export function ownPlatform(): Platform {
  const names: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
  const own = arch();
  return { os: 'linux', architecture: names[own] ?? own };
}
