import { describe, expect, it } from 'vitest';
import { reachableNameServers, resolvConf } from '../../../builder/sandbox/resolv-conf.ts';

const machine = '# ours\nnameserver 127.0.0.53\nnameserver 192.0.2.53\noptions edns0\nsearch home.example\n';

describe('resolv.conf of a step', () => {
  it.each<[string, Parameters<typeof resolvConf>[0], string]>([
    ['is that of the machine', {}, machine],
    [
      'has other name servers',
      { dns: ['10.0.2.3', '::1'] },
      '# ours\noptions edns0\nsearch home.example\nnameserver 10.0.2.3\nnameserver ::1\n',
    ],
    [
      'has other domains and options',
      { dnsSearch: ['a.example', 'b.example'], dnsOptions: ['ndots:2'] },
      '# ours\nnameserver 127.0.0.53\nnameserver 192.0.2.53\nsearch a.example b.example\noptions ndots:2\n',
    ],
    [
      'has no domain',
      { dnsSearch: ['.'] },
      '# ours\nnameserver 127.0.0.53\nnameserver 192.0.2.53\noptions edns0\n',
    ],
  ])('%s', (_, asked, expected) => expect(resolvConf(asked, machine)).toBe(expected));

  it('tells which name servers can be reached from another network', () => {
    const all = [...machine.split('\n'), 'nameserver ::1', ' nameserver fd00::53'].join('\n');
    expect(reachableNameServers(all)).toEqual(['192.0.2.53', 'fd00::53']);
  });
});
