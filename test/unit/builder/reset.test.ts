import { describe, expect, it } from 'vitest';
import { startingPoint } from '../../../builder/steps/from.ts';
import { afterReset } from '../../../builder/steps/reset.ts';
import { parse } from '../../../src/containerfile/parse.ts';
import { DEFAULT_PATH } from '../../../src/containerfile/predefined.ts';
import type { ContainerConfig } from '../../../src/core/types.ts';

const platform = { os: 'linux', architecture: 'amd64' };

const config: ContainerConfig = {
  Env: ['PATH=/bin', 'A=1', 'B=2'],
  Volumes: { '/data': {}, '/more': {} },
  ExposedPorts: { '80/tcp': {}, '53/udp': {} },
  User: 'me',
};

function reset(flag: string, args: readonly string[] = []) {
  const image = {
    layers: [],
    config: { ...platform, config, rootfs: { type: 'layers' as const, diff_ids: [] } },
  };
  const state = { ...startingPoint(image), args };
  const { stages } = parse(`FROM ${flag} a`, 'f', { enable: ['reset'] });
  const after = afterReset(state, stages[0]!.from);
  return { vars: Object.fromEntries(after.vars), ...after.candidates[0]!.snapshot.config.config };
}

describe('FROM --reset', () => {
  it('leaves everything where it is not given', () => {
    expect(reset('')).toEqual({ ...config, vars: { PATH: '/bin', A: '1', B: '2' } });
  });

  it('takes whole kinds away, but for the usual PATH', () => {
    const PATH = DEFAULT_PATH;
    expect(reset('--reset=env,volume,expose')).toEqual({ Env: [`PATH=${PATH}`], User: 'me', vars: { PATH } });
  });

  it('takes single ones away, and minds no one that is not there', () => {
    expect(reset('--reset=env:A,env:C,volume:/data,expose:80,expose:53/tcp')).toEqual({
      Env: ['PATH=/bin', 'B=2'],
      Volumes: { '/more': {} },
      ExposedPorts: { '53/udp': {} },
      User: 'me',
      vars: { PATH: '/bin', B: '2' },
    });
  });

  it('keeps the value of an ARG of that name', () => {
    expect(reset('--reset=env:A', ['A']).vars).toEqual({ PATH: '/bin', A: '1', B: '2' });
  });
});
