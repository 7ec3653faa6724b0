import { expect, it } from 'vitest';
import { nextHop } from '../../../src/http/redirect.ts';
import type { HttpResponse } from '../../../src/http/response.ts';

const redirected = (from: string, to: string) =>
  nextHop(
    { url: new URL(from), request: {} },
    { status: 302, header: () => to } as unknown as HttpResponse,
    true,
  );

it.each([
  'localhost',
  '127.1.2.3',
  '2130706433',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '0.0.0.0',
  '0',
  '[::]',
  '[::ffff:0.0.0.0]',
  '169.254.169.254',
  '[fe80::1]',
])('no other server leads to this machine as %s', (host) => {
  const to = `http://${host}:8080/latest`;
  expect(() => redirected('http://example.org/', to)).toThrow('it leads into this machine');
  expect(redirected('http://127.0.0.1:1/', to)?.url.port).toBe('8080');
});

it('other servers are led to', () => {
  expect(redirected('http://example.org/', 'http://example.com/x')?.url.hostname).toBe('example.com');
});
