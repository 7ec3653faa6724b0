import { describe, expect, it } from 'vitest';
import { checkEntitlements } from '../../../builder/entitlements.ts';
import { graphOf } from '../../../src/containerfile/graph.ts';
import { parse } from '../../../src/containerfile/parse.ts';
import { BuildError } from '../../../src/core/errors.ts';

function check(
  text: string,
  allow: readonly string[],
  network: 'host' | 'none' = 'host',
): BuildError | undefined {
  const platform = { os: 'linux', architecture: 'amd64' };
  try {
    checkEntitlements(graphOf(parse(text, 'f'), { buildArgs: {}, platform }), { allow, network });
    return undefined;
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
}

const insecure = 'FROM a\nRUN true\nRUN --security=insecure true\n';
const host = 'FROM a\nRUN --network=host true\n';

describe('entitlements', () => {
  it('are asked for with the flag that gives them', () => {
    expect(check(insecure, [])).toMatchObject({
      code: 'denied',
      message: 'RUN --security=insecure is not allowed: it needs the entitlement security.insecure',
      hint: expect.stringContaining('--allow security.insecure'),
      location: { startLine: 3 },
    });
    expect(check(host, [], 'none')?.hint).toContain('--allow network.host');
  });

  it('let pass what was given, and the network that the build has anyway', () => {
    expect(check(insecure, ['security.insecure'])).toBeUndefined();
    expect(check(insecure, ['network.host'])).toBeDefined();
    expect(check(host, ['network.host'], 'none')).toBeUndefined();
    expect(check(host, [])).toBeUndefined();
    expect(check('FROM a\nRUN --network=none --security=sandbox true', [])).toBeUndefined();
  });

  it('are told of all at once, and not of stages that are not built', () => {
    expect(check(`${insecure}RUN --security=insecure false\n`, [])?.errors).toHaveLength(2);
    expect(check(`${insecure}FROM b\nRUN true\n`, [])).toBeUndefined();
  });
});
