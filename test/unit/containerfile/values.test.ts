import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/containerfile/durations.ts';
import { exposedPorts } from '../../../src/containerfile/ports.ts';
import { envRecord, isPredefinedArg, PROXY_ARGS, withEnv } from '../../../src/containerfile/predefined.ts';
import { checkSignal } from '../../../src/containerfile/signals.ts';
import {
  formatPlatform,
  hostPlatform,
  normalizePlatform,
  parsePlatform,
} from '../../../src/core/platform.ts';

describe('exposedPorts', () => {
  it.each([
    [['80'], ['80/tcp']],
    [
      ['80', '80/tcp', '80/UDP'],
      ['80/tcp', '80/tcp', '80/udp'],
    ],
    [['8000-8002/sctp'], ['8000/sctp', '8001/sctp', '8002/sctp']],
    [
      ['0', '65535'],
      ['0/tcp', '65535/tcp'],
    ],
    [
      ['8080:80', '127.0.0.1:9000-9001:90-91/udp', '[::1]:1:2'],
      ['80/tcp', '90/udp', '91/udp', '2/tcp'],
    ],
    [['127.0.0.1::80'], ['80/tcp']],
    [
      ['2001:db8::68::333', '::1:80:81', '::::82', '[2001:db8::68]::83'],
      ['333/tcp', '81/tcp', '82/tcp', '83/tcp'],
    ],
    [['1-2:80'], ['80/tcp']],
    [['80/'], ['80/tcp']],
    [
      ['80 443/udp', '', ' 9 '],
      ['80/tcp', '443/udp', '9/tcp'],
    ],
  ])('%j', (specs, ports) => expect(exposedPorts(specs)).toEqual(ports));

  it.each(['http', '80/http', '65536', '90-80', '-1', '80-', '80/tcp/udp', '1-2:80-82', '8000-70000'])(
    'refuses %j',
    (spec) => expect(() => exposedPorts([spec])).toThrow('invalid port'),
  );

  it.each(['localhost:80:80', 'db.example:80:80', '[name]:80:80', '1.2.3:80:80'])(
    'refuses %j, where a name stands for an address',
    (spec) => expect(() => exposedPorts([spec])).toThrow('is no IP address'),
  );
});

describe('checkSignal', () => {
  it.each(['SIGTERM', 'term', 'SIGRTMIN+3', 'RTMAX-14', '9', '64', 'SIGWINCH'])('takes %s', (signal) => {
    expect(() => checkSignal(signal)).not.toThrow();
  });

  it.each(['', '0', '65', 'SIGNOPE', 'SIGRTMIN+16', '-9', '9x'])('refuses %j', (signal) => {
    expect(() => checkSignal(signal)).toThrow('invalid signal');
  });

  it('says what is near', () => {
    expect(() => checkSignal('SIGTRM')).toThrow(expect.objectContaining({ hint: 'Did you mean SIGTERM?' }));
  });
});

describe('durations', () => {
  it.each([
    ['0', 0, '0s'],
    ['5s', 5e9, '5s'],
    ['1m30s', 90e9, '1m30s'],
    ['1h', 3600e9, '1h0m0s'],
    ['1.5s', 1.5e9, '1.5s'],
    ['250ms', 250e6, '250ms'],
    ['2us', 2e3, '2µs'],
    ['7ns', 7, '7ns'],
    ['-.5h', -1800e9, '-30m0s'],
  ])('%s is %d ns and prints as %s', (text, nanoseconds, printed) => {
    expect(parseDuration(text)).toBe(nanoseconds);
    expect(formatDuration(nanoseconds)).toBe(printed);
  });

  it.each(['', '5', 's', '5 s', '5d', '1h-5m', '.s', '1.2.3s'])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('platforms', () => {
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['LINUX/x86_64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/8', 'linux/arm64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/i386', 'linux/386'],
    ['arm64', 'linux/arm64'],
    ['riscv64', 'linux/riscv64'],
    ['macos/arm64', 'darwin/arm64'],
    ['local', formatPlatform(hostPlatform())],
    ['linux', formatPlatform(hostPlatform())],
  ])('%s is %s', (text, normal) => expect(formatPlatform(parsePlatform(text))).toBe(normal));

  it.each(['', 'linux/', '/amd64', 'a/b/c/d', 'linux/*', 'toaster', 'linux/amd 64'])('refuses %j', (text) => {
    expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('has one form for equal platforms', () => {
    const one = normalizePlatform({ os: 'linux', architecture: 'arm64', variant: 'v8' });
    expect(one).toEqual({ os: 'linux', architecture: 'arm64' });
    expect('variant' in one).toBe(false);
  });
});

describe('predefined names and environments', () => {
  it('knows the proxies in both cases', () => {
    expect(PROXY_ARGS).toContain('HTTPS_PROXY');
    expect(PROXY_ARGS).toContain('all_proxy');
    expect(PROXY_ARGS).toHaveLength(10);
    expect(['TARGETVARIANT', 'BUILDOSVERSION', 'BUILDKIT_X'].every(isPredefinedArg)).toBe(true);
    expect(['PATH', 'Http_Proxy', 'TARGET'].some(isPredefinedArg)).toBe(false);
  });

  it('replaces in place, else appends', () => {
    expect(withEnv(['A=1', 'B=2'], [{ name: 'A', value: '3' }])).toEqual(['A=3', 'B=2']);
    expect(withEnv(['AB=1'], [{ name: 'A', value: 'x=y' }])).toEqual(['AB=1', 'A=x=y']);
    const twice = ['1', '2', '3'].map((value) => ({ name: 'B', value }));
    expect(withEnv(['B=0', 'A=1', 'B=9'], twice)).toEqual(['B=3', 'A=1', 'B=9']);
    expect(withEnv([], twice)).toEqual(['B=3']);
    expect(envRecord(['A=1', 'B', 'C=d=e', 'A=2'])).toEqual({ A: '2', B: '', C: 'd=e' });
  });
});
