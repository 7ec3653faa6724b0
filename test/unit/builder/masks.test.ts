import { describe, expect, it } from 'vitest';
import { Masks } from '../../../builder/steps/masks.ts';
import type { Framed } from '../../../src/core/digest.ts';

const vars = new Map([
  ['API_TOKEN', 'hunter2-hunter2'],
  ['PIN_KEY', '1234'],
  ['MODE', 'fast'],
]);

function hidden(value: Framed): Framed {
  return new Masks(vars).hide(value);
}

describe('masks', () => {
  it('hide the values of variables that seem secret, and tell one from another', () => {
    const env = hidden({ env: [...vars] }) as { readonly env: readonly (readonly string[])[] };
    expect(env.env).toEqual([
      ['API_TOKEN', '****', expect.stringMatching(/^[0-9a-f]{4}$/)],
      ['PIN_KEY', '****', expect.stringMatching(/^[0-9a-f]{4}$/)],
      ['MODE', 'fast'],
    ]);
    const other = new Masks(new Map()).hide({ env: [['API_TOKEN', 'other']] }) as typeof env;
    expect(other.env[0]![2]).not.toBe(env.env[0]![2]);
  });

  it('hide those values wherever they stand', () => {
    expect(
      hidden({ to: '/x/hunter2-hunter2/', deep: [{ words: ['a hunter2-hunter2 b', 1, true, null] }] }),
    ).toEqual({
      to: '/x/****/',
      deep: [{ words: ['a **** b', 1, true, null] }],
    });
  });

  it('hide logins of addresses, also in variables', () => {
    expect(hidden(['https://me:pass@example.com/x'])).toEqual(['https://****@example.com/x']);
    const env = [['PROXY', 'http://me:pass@proxy:3128']];
    expect(hidden({ env })).toEqual({ env: [['PROXY', 'http://****@proxy:3128', expect.any(String)]] });
  });

  it('leave the rest as it is', () => {
    const value = { below: ['sha256:1'], shm: undefined, env: [], reads: [{ files: 'sha256:2' }] };
    expect(hidden(value)).toEqual(value);
  });
});
