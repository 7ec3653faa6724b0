import { BuildError } from './errors.ts';
import type { Platform } from './types.ts';

/** Names that other tools give an architecture, and what it is called in images. */
const architectures: Readonly<Record<string, { readonly architecture: string; readonly variant?: string }>> =
  {
    i386: { architecture: '386' },
    i686: { architecture: '386' },
    x86_64: { architecture: 'amd64' },
    'x86-64': { architecture: 'amd64' },
    aarch64: { architecture: 'arm64' },
    armhf: { architecture: 'arm', variant: 'v7' },
    armel: { architecture: 'arm', variant: 'v6' },
  };

const systems = ['linux', 'windows', 'darwin', 'freebsd', 'openbsd', 'netbsd', 'wasip1', 'js', 'solaris'];
const known = [
  ...['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips', 'mips64', 'mips64le', 'mipsle'],
  ...['ppc64', 'ppc64le', 'riscv64', 's390x', 'wasm'],
];

/** What `process.arch` calls the architectures that have another name in images. */
const own: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};

/** The platform of this machine; images are always for Linux. */
export function hostPlatform(): Platform {
  return normalizePlatform({ os: 'linux', architecture: own[process.arch] ?? process.arch });
}

/**
 * Parses `os/architecture[/variant]`, or one of the first two alone, into its normal form: `x86_64` is `amd64`,
 * `arm` is `arm/v7`, `arm64/v8` is `arm64`. Fails with `usage`.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.trim().toLowerCase().split('/');
  const [first, second, third] = parts;
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) throw unknown(text);
  if (first === 'local' && second === undefined) return hostPlatform();
  if (second !== undefined) {
    return normalizePlatform({
      os: first!,
      architecture: second,
      ...(third !== undefined && { variant: third }),
    });
  }
  if (systems.includes(first!) || first === 'macos')
    return normalizePlatform({ ...hostPlatform(), os: first! });
  if (known.includes(first!) || Object.hasOwn(architectures, first!)) {
    return normalizePlatform({ os: 'linux', architecture: first! });
  }
  throw unknown(text);
}

/** `linux/arm/v7`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('/');
}

/** One spelling for each platform, so that equal platforms have equal fields. */
export function normalizePlatform({ os, architecture, variant = '' }: Platform): Platform {
  const name = architecture.toLowerCase();
  const alias = Object.hasOwn(architectures, name) ? architectures[name] : undefined;
  const normal = {
    architecture: alias?.architecture ?? name,
    variant: alias?.variant ?? variant.toLowerCase(),
  };
  const kept = normalVariant(normal.architecture, normal.variant);
  return {
    os: os.toLowerCase() === 'macos' ? 'darwin' : os.toLowerCase(),
    architecture: normal.architecture,
    ...(kept !== '' && { variant: kept }),
  };
}

function normalVariant(architecture: string, variant: string): string {
  if (architecture === 'amd64') return variant === 'v1' ? '' : variant;
  if (architecture === 'arm64') return variant === '8' || variant === 'v8' ? '' : variant;
  if (architecture !== 'arm') return variant;
  if (variant === '') return 'v7';
  return /^\d$/.test(variant) ? `v${variant}` : variant;
}

function unknown(text: string): BuildError {
  return new BuildError('usage', `"${text}" is not a platform`, {
    hint: 'Write os/architecture[/variant], for example linux/amd64 or linux/arm/v7.',
  });
}
