import { describe, expect, it } from 'vitest';
import { isOlderThan } from '../../../builder/sandbox/kernel.ts';
import { inOneLine } from '../../../builder/sandbox/remedy.ts';
import { hintFor } from '../../../builder/sandbox/setup-failure.ts';
import { mountOf } from '../../../builder/sandbox/store-mount.ts';

describe('the kernel', () => {
  it.each([
    ['5.10.0-28-amd64', true],
    ['4.18.0-553.el8', true],
    ['5.11', false],
    ['5.15.0', false],
    ['6.1.0-rc1', false],
  ])('%s is older than 5.11: %s', (release, older) => {
    expect(isOlderThan('5.11', release)).toBe(older);
  });

  it('is named where it lacks a call', () => {
    expect(hintFor('could not restrict a mount: function not implemented').hint).toContain('Linux 5.12');
  });
});

describe('the mount of a store', () => {
  const mountinfo = [
    '21 1 0:1 / / rw,relatime - overlay overlay rw',
    '22 21 0:2 / /home rw,nosuid,noexec,relatime shared:1 - ext4 /dev/a rw',
    '23 21 0:3 / /home/a\\040b rw - xfs /dev/b rw',
    '24 22 0:4 / /home rw,nodev - btrfs /dev/c rw',
  ].join('\n');

  it.each([
    ['/var/store', { type: 'overlay', flags: ['rw', 'relatime'] }],
    ['/homely', { type: 'overlay', flags: ['rw', 'relatime'] }],
    ['/home/x', { type: 'btrfs', flags: ['rw', 'nodev'] }],
    ['/home/a b/store', { type: 'xfs', flags: ['rw'] }],
  ])('that holds %s', (path, mount) => {
    expect(mountOf(path, mountinfo)).toEqual(mount);
  });
});

describe('a remedy', () => {
  it.each([
    ['Make room.', 'Make room.'],
    ['Only root may:\na b\nc', 'Only root may: `a b`, `c`.'],
  ])('is one sentence in an error: %j', (remedy, sentence) => {
    expect(inOneLine(remedy)).toBe(sentence);
  });
});
