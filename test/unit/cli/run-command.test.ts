import { describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { parseVolume } from '../../../src/cli/volumes.ts';
import { fakeHost } from './fake-host.ts';

describe('--volume', () => {
  it.each([
    ['/a:/b', { source: '/a', target: '/b', mode: 'rw' }],
    ['./a:/b:ro', { source: '/here/a', target: '/b', mode: 'ro' }],
    ['.:/b:rw', { source: '/here', target: '/b', mode: 'rw' }],
    ['../x/y:/b/c', { source: '/x/y', target: '/b/c', mode: 'rw' }],
    ['/a:/b:ro,Z', { source: '/a', target: '/b', mode: 'ro' }],
    ['/a:/b/../c/:O', { source: '/a', target: '/c', mode: 'overlay' }],
  ])('reads %s', (text, volume) => expect(parseVolume(text, '/here')).toEqual(volume));

  it.each([
    ['/a', 'HOST:PATH'],
    ['/a:b', 'HOST:PATH'],
    [':/b', 'HOST:PATH'],
    ['/a:/b:ro:z', 'HOST:PATH'],
    ['/a:/b:y', "does not know 'y'"],
    ['/a:/b:U', 'owners of files of this machine'],
    ['/a:/b:rshared', 'mounts of its own'],
    ['/a:/b:ro,O', 'ro and overlay at once'],
    ['/a:/b/..', 'whole root'],
    ['name:/b', 'no named volumes'],
    ['/a:/b:constructor', "does not know 'constructor'"],
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
