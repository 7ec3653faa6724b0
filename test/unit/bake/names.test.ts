import { expect, it } from 'vitest';
import { matches } from '../../../src/bake/names.ts';

it.each([
  ['app', 'app', true],
  ['app', 'apps', false],
  ['app*', 'app-dev', true],
  ['*', 'anything', true],
  ['a?p', 'axp', true],
  ['a?p', 'ap', false],
  ['app-[ab]', 'app-b', true],
  ['app-[^ab]', 'app-b', false],
  ['a.*', 'axb', false],
  ['[', '[', true],
])('%s means %s: %s', (pattern, name, isMeant) => {
  expect(matches(pattern, name)).toBe(isMeant);
});
