import { describe, expect, it } from 'vitest';
import type { BuildFlags } from '../../../src/cli/build-flags.ts';
import { callOf } from '../../../src/cli/call.ts';
import { main } from '../../../src/cli/main.ts';
import { fakeHost } from './fake-host.ts';

function flags(given: Partial<BuildFlags>): BuildFlags {
  return { cache: true, cacheFilter: true, ...given } as BuildFlags;
}

describe('--call', () => {
  it.each([
    [{}, undefined],
    [{ call: 'build' }, undefined],
    [{ check: true }, { call: 'check', json: false }],
    [
      { check: true, call: 'build' },
      { call: 'check', json: false },
    ],
    [
      { check: true, call: 'check,format=json' },
      { call: 'check', json: true },
    ],
    [{ call: 'lint' }, { call: 'check', json: false }],
    [{ call: 'outline,format=json' }, { call: 'outline', json: true }],
    [{ call: 'targets,format=text' }, { call: 'targets', json: false }],
  ])('%j', (given, wanted) => {
    expect(callOf(flags(given))).toEqual(wanted);
  });

  it.each([
    [{ call: 'outlin' }, "--call does not know 'outlin'"],
    [{ call: 'check,format=yaml' }, "--call does not know 'format=yaml'"],
    [{ check: true, call: 'outline' }, '--check and --call=outline ask for two things'],
  ])('refuses %j', (given, message) => {
    expect(() => callOf(flags(given))).toThrow(message);
  });

  it('says what is near', async () => {
    const host = fakeHost();
    expect(await main(['build', '--call', 'chek', '.'], host)).toBe(2);
    expect(host.written[2]).toContain('hint: Did you mean check?');
  });
});
