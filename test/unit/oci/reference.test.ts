import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BuildError } from '../../../src/core/errors.ts';
import { familiarName, formatReference, parseReference } from '../../../src/oci/reference.ts';

interface Case {
  readonly text: string;
  readonly full?: string;
  readonly familiar?: string;
  readonly error?: string;
}

const cases = JSON.parse(
  readFileSync(new URL('../../../testdata/oci/references.json', import.meta.url), 'utf8'),
) as Case[];

describe('references', () => {
  it.each(cases)('reads $text', ({ text, full, familiar, error }) => {
    if (error !== undefined) {
      expect(() => parseReference(text)).toThrow(BuildError);
      expect(() => parseReference(text)).toThrow(error);
      return;
    }
    const reference = parseReference(text);
    expect(formatReference(reference)).toBe(full);
    expect(familiarName(reference)).toBe(familiar);
    expect(parseReference(formatReference(reference))).toEqual(reference);
    expect(parseReference(familiarName(reference))).toEqual(reference);
  });

  it('keeps the limits of length', () => {
    expect(formatReference(parseReference(`h.org/${'a'.repeat(249)}`))).toHaveLength(262);
    expect(() => parseReference(`h.org/${'a'.repeat(250)}`)).toThrow('too long');
    expect(parseReference(`a:${'t'.repeat(128)}`).tag).toHaveLength(128);
    expect(() => parseReference(`a:${'t'.repeat(129)}`)).toThrow('tag');
  });

  it('says how to write an upper-case name', () => {
    try {
      parseReference('example.org/MyApp');
      expect.unreachable();
    } catch (error) {
      expect((error as BuildError).hint).toBe('Write example.org/myapp.');
    }
  });
});
