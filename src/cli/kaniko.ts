import type { Rewrite } from './spec.ts';

/**
 * Flags of kaniko's executor and of older spellings, as the flags of tsbuild that do the same. Where one of them has
 * the meaning that tsbuild has anyway, nothing is left of it.
 */
export const kaniko: Readonly<Record<string, Rewrite>> = {
  '--context': { takes: 'value', to: (folder) => [folder] },
  '-c': { takes: 'value', to: (folder) => [folder] },
  '--dockerfile': { takes: 'value', to: (file) => ['--file', file] },
  '--no-push': { takes: 'boolean', to: (value) => [`--push=${value === 'true' ? 'false' : 'true'}`] },
  '--tar-path': { takes: 'value', to: (file) => ['--output', fields('type=docker', `dest=${file}`)] },
  '--oci-layout-path': {
    takes: 'value',
    to: (folder) => ['--output', fields('type=oci', 'tar=false', `dest=${folder}`)],
  },
  '--cache': { takes: 'boolean', to: (value) => [`--no-cache=${value === 'true' ? 'false' : 'true'}`] },
  '--cache-repo': {
    takes: 'value',
    to: (name) => [
      ...['--cache-from', fields('type=registry', `ref=${name}`)],
      ...['--cache-to', fields('type=registry', `ref=${name}`, 'mode=max')],
    ],
  },
  '--cache-ttl': { takes: 'value', to: (time) => ['--cache-max-age', time] },
  '--custom-platform': { takes: 'value', to: (platform) => ['--platform', platform] },
  '--push-retry': { takes: 'value', to: (count) => ['--retry', count] },
  '--insecure': { takes: 'boolean', to: insecure },
  '--insecure-pull': { takes: 'boolean', to: insecure },
  '--skip-tls-verify': { takes: 'boolean', to: insecure },
  '--skip-tls-verify-pull': { takes: 'boolean', to: insecure },
  '--reproducible': {
    takes: 'boolean',
    to: (value) => (value === 'true' ? ['--source-date-epoch', '0'] : []),
  },
};

function insecure(value: string): readonly string[] {
  return value === 'true' ? ['--tls-verify=false'] : [];
}

/** A comma list whose fields keep their commas and quotes. */
function fields(...all: readonly string[]): string {
  return all.map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
}
