import { describe, expect, it } from 'vitest';
import { isExempt, proxyFor } from '../../../src/http/proxy.ts';

const exempt = (url: string, rules: string): boolean => isExempt(new URL(url), rules);

describe('NO_PROXY', () => {
  const cases: [string, string, boolean][] = [
    ['http://example.com/', 'example.com', true],
    ['http://sub.example.com/', 'example.com', true],
    ['http://badexample.com/', 'example.com', false],
    ['http://example.com/', '.example.com', false],
    ['http://a.example.com/', '.example.com', true],
    ['http://a.example.com/', '*.example.com', true],
    ['http://example.com/', '*', true],
    ['http://EXAMPLE.com/', 'Example.COM', true],
    ['http://example.com:8080/', 'example.com:8080', true],
    ['http://example.com/', 'example.com:8080', false],
    ['https://example.com/', 'example.com:443', true],
    ['http://example.com/', 'example.com:443', false],
    ['http://10.1.2.3/', '10.0.0.0/8', true],
    ['http://11.1.2.3/', '10.0.0.0/8', false],
    ['http://10.1.2.3/', '10.1.2.3', true],
    ['http://110.1.2.3/', '10.1.2.3', false],
    ['http://[fd00::5]/', 'fd00::/8', true],
    ['http://[fd00::5]:8080/', '[fd00::5]:8080', true],
    ['http://[fd00::5]/', 'fd00::5', true],
    ['http://10.1.2.3/', '10.0.0.0/64', false],
    ['http://b.org/', 'a.org, b.org', true],
    ['http://b.org/', '', false],
  ];
  it.each(cases)('%s with %s', (url, rules, expected) => {
    expect(exempt(url, rules)).toBe(expected);
  });
});

describe('proxyFor', () => {
  const proxy = (url: string, env: Record<string, string>): string | undefined =>
    proxyFor(new URL(url), env)?.href;

  it('takes the variable of the scheme, lower case first', () => {
    const env = { http_proxy: 'http://a:1', HTTP_PROXY: 'http://b:2', HTTPS_PROXY: 'http://c:3' };
    expect(proxy('http://x.org/', env)).toBe('http://a:1/');
    expect(proxy('https://x.org/', env)).toBe('http://c:3/');
    expect(proxy('https://x.org/', { http_proxy: 'http://a:1' })).toBeUndefined();
  });

  it('takes ALL_PROXY where no other is set, and an empty variable as none', () => {
    expect(proxy('https://x.org/', { ALL_PROXY: 'h:8' })).toBe('http://h:8/');
    expect(proxy('https://x.org/', { ALL_PROXY: 'h:8', https_proxy: '' })).toBeUndefined();
  });

  it('ignores HTTP_PROXY inside a CGI program', () => {
    const env = { HTTP_PROXY: 'http://b:2', REQUEST_METHOD: 'GET' };
    expect(proxy('http://x.org/', env)).toBeUndefined();
    expect(proxy('http://x.org/', { ...env, http_proxy: 'http://a:1' })).toBe('http://a:1/');
  });

  it('never sends loopback through a proxy', () => {
    for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '[::1]', 'a.localhost']) {
      expect(proxy(`http://${host}:5000/`, { http_proxy: 'http://a:1' })).toBeUndefined();
    }
  });

  it.each([
    'socks5://u:s3cret@h:1',
    'http://u:s3cret%zz@h:1',
    'http://u:s3cret%ff@h:1',
    'http://u:s3cret@h:port',
  ])('refuses %s, without its password', (http_proxy) => {
    const attempt = (): unknown => proxy('http://x.org/', { http_proxy });
    expect(attempt).toThrow(/proxy variable/);
    expect(attempt).not.toThrow(/s3cret/);
  });
});
