import { describe, expect, it } from 'vitest';
import { isNumericOwner, ownerOf, userOf } from '../../../builder/users.ts';
import { LayeredView } from '../../../builder/view.ts';
import { entryOf } from './entry-lines.ts';
import { FakeLayers } from './fake-layers.ts';

const passwd =
  '# users\nroot:x:0:0:root:/root:/bin/sh\nweb:x:33:44:web:/srv:/bin/sh\n77:x:5:6::/seven:\nbroken\nodd:x:9:many::/odd:\n';
const group = 'root:x:0:\nstaff:x:50:web,root\naudio:x:29:other,web\nweb:x:44:web\n';

function image(): { view: LayeredView; layers: ReturnType<FakeLayers['asLayers']> } {
  const layers = new FakeLayers();
  const layer = layers.add([
    entryOf('d etc'),
    entryOf(`f etc/passwd = ${passwd}`),
    entryOf(`f etc/group = ${group}`),
  ]);
  return { view: LayeredView.of([layer], layers), layers: layers.asLayers() };
}

describe('USER', () => {
  it.each([
    ['', { uid: 0, gid: 0, groups: [0, 50], home: '/root' }],
    ['0', { uid: 0, gid: 0, groups: [0, 50], home: '/root' }],
    ['root', { uid: 0, gid: 0, groups: [0, 50], home: '/root' }],
    ['web', { uid: 33, gid: 44, groups: [44, 50, 29], home: '/srv' }],
    ['33', { uid: 33, gid: 44, groups: [44, 50, 29], home: '/srv' }],
    ['1234', { uid: 1234, gid: 0, groups: [0], home: '/' }],
    ['web:staff', { uid: 33, gid: 50, groups: [50], home: '/srv' }],
    ['web:7', { uid: 33, gid: 7, groups: [7], home: '/srv' }],
    ['1234:7', { uid: 1234, gid: 7, groups: [7], home: '/' }],
    ['odd', { uid: 9, gid: 0, groups: [0], home: '/odd' }],
    ['77', { uid: 5, gid: 6, groups: [6], home: '/seven' }],
  ])('%s', async (spec, expected) => {
    const { view, layers } = image();
    expect(await userOf(view, layers, spec)).toEqual(expected);
  });

  it('refuses unknown names, and the number that changes nothing', async () => {
    const { view, layers } = image();
    await expect(userOf(view, layers, '4294967295')).rejects.toMatchObject({ code: 'not-found' });
    await expect(userOf(view, layers, '0:4294967295')).rejects.toMatchObject({ code: 'not-found' });
    await expect(userOf(view, layers, 'wbe')).rejects.toMatchObject({
      code: 'not-found',
      message: `the user "wbe" is not in the image's /etc/passwd`,
    });
    await expect(userOf(view, layers, 'web:stuff')).rejects.toThrow('the group "stuff"');
  });

  it('needs no files for numbers and root', async () => {
    const layers = new FakeLayers().asLayers();
    expect(await userOf(LayeredView.of([], layers), layers, 'root')).toMatchObject({ uid: 0, gid: 0 });
    expect(await userOf(LayeredView.of([], layers), layers, '5:6')).toMatchObject({ uid: 5, gid: 6 });
  });
});

describe('owners', () => {
  it.each([
    ['12', { uid: 12, gid: 12, unknown: [] }],
    ['12:34', { uid: 12, gid: 34, unknown: [] }],
    ['web', { uid: 33, gid: 44, unknown: [] }],
    ['web:', { uid: 33, gid: 0, unknown: [] }],
    [':staff', { uid: 0, gid: 50, unknown: [] }],
    ['12:staff', { uid: 12, gid: 50, unknown: [] }],
    ['12:stuff', { uid: 12, gid: 12, unknown: ['stuff'] }],
    ['web:stuff', { uid: 33, gid: 44, unknown: ['stuff'] }],
    ['nobdy:stuff', { uid: 0, gid: 0, unknown: ['nobdy', 'stuff'] }],
  ])('%s', async (spec, expected) => {
    const { view, layers } = image();
    expect(await ownerOf(view, layers, spec)).toEqual(expected);
  });

  it('tells which need the image', () => {
    expect(['1', '1:2', 'root', ':', 'root:5'].map(isNumericOwner)).toEqual(Array(5).fill(true));
    expect(['web', '1:staff', ':staff'].map(isNumericOwner)).toEqual(Array(3).fill(false));
  });
});
