import { describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { parseVolume } from '../../../src/cli/run-command.ts';
import { fakeHost } from './fake-host.ts';

describe('--volume', () => {
  it.each([
    ['/a:/b', { source: '/a', target: '/b', readonly: false }],
    ['./a:/b:ro', { source: '/here/a', target: '/b', readonly: true }],
    ['.:/b:rw', { source: '/here', target: '/b', readonly: false }],
    ['../x/y:/b/c', { source: '/x/y', target: '/b/c', readonly: false }],
  ])('reads %s', (text, volume) => expect(parseVolume(text, '/here')).toEqual(volume));

  it.each([
    ['/a', 'HOST:PATH'],
    ['/a:b', 'HOST:PATH'],
    [':/b', 'HOST:PATH'],
    ['/a:/b:ro:z', 'HOST:PATH'],
    ['/a:/b:z', "does not know 'z'"],
    ['name:/b', 'no named volumes'],
    ['/a:/', 'whole root'],
    ['/a://', 'whole root'],
  ])('refuses %s', (text, message) =>
    expect(() => parseVolume(text, '/here')).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(message) as string }),
    ),
  );
});

describe('tsbuild run', () => {
  it.each([
    ['run', 'name'],
    ['run -t image', '-t needs a terminal'],
    ['run --network host2 image', "--network 'host2'"],
    ['run -v x image', '--volume'],
    ['run --detach image', 'unknown flag --detach'],
  ])('refuses %s', async (line, message) => {
    const host = fakeHost();
    expect(await main(line.split(' '), host)).toBe(2);
    expect(host.written[2]).toContain(message);
  });
});
