import { expect, it } from 'vitest';
import { sbomOf } from '../../../src/attest/sbom/documents.ts';

/** What both documents say of the license of a package. */
async function licenses(license: string): Promise<unknown[]> {
  const inventory = {
    name: 'app',
    id: `sha256:${'a'.repeat(64)}`,
    packages: [{ type: 'npm', name: 'left-pad', version: '1.3.0', license, path: 'package.json' }],
    created: '2020-01-01T00:00:00.000Z',
    tool: { name: 'tsbuild', version: '1' },
  } as const;
  const spdx = (await sbomOf('spdx', inventory)).predicate as { packages: { licenseDeclared: unknown }[] };
  const cyclonedx = (await sbomOf('cyclonedx', inventory)).predicate as {
    components: { licenses: unknown }[];
  };
  return [spdx.packages[1]!.licenseDeclared, cyclonedx.components[0]!.licenses];
}

it('a license is an id of SPDX or the word that its packager wrote', async () => {
  expect(await licenses('mit')).toEqual(['MIT', [{ license: { id: 'MIT' } }]]);
  for (const word of ['constructor', '__proto__', 'none of yours'])
    expect(await licenses(word)).toEqual(['NOASSERTION', [{ license: { name: word } }]]);
});
