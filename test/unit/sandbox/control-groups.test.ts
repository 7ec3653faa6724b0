import { describe, expect, it } from 'vitest';
import { hierarchies } from '../../../builder/sandbox/control-groups.ts';
import { groupLimits } from '../../../builder/sandbox/group-limits.ts';

const mount = (place: string, type: string, { root = '/', options = 'rw' } = {}) =>
  `30 24 0:26 ${root} ${place} rw,nosuid shared:9 - ${type} ${type} ${options}`;

describe('hierarchies of control groups', () => {
  it.each([
    [
      'one hierarchy, in a session of a person',
      '0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope\n',
      [mount('/sys/fs/cgroup', 'cgroup2')],
      [[2, '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope']],
    ],
    [
      'a container with groups of its own',
      '0::/\n',
      [mount('/sys/fs/cgroup', 'cgroup2')],
      [[2, '/sys/fs/cgroup']],
    ],
    [
      'a container that sees its part of the machine',
      '0::/docker/1f\n',
      [mount('/sys/fs/cgroup', 'cgroup2', { root: '/docker/1f' })],
      [[2, '/sys/fs/cgroup']],
    ],
    [
      'a hierarchy for each controller, and one of version 2 beside them',
      '4:memory:/ci/1\n3:cpu,cpuacct:/ci\n1:name=systemd:/ci\n0::/unified\n',
      [
        mount('/sys/fs/cgroup/memory', 'cgroup', { options: 'rw,memory' }),
        mount('/sys/fs/cgroup/cpu,cpuacct', 'cgroup', { options: 'rw,cpu,cpuacct' }),
        mount('/sys/fs/cgroup/unified', 'cgroup2'),
      ],
      [
        [1, '/sys/fs/cgroup/memory/ci/1'],
        [1, '/sys/fs/cgroup/cpu,cpuacct/ci'],
        [2, '/sys/fs/cgroup/unified/unified'],
      ],
    ],
    ['none that is mounted', '0::/x\n', ['30 24 0:26 / / rw - ext4 /dev/vda rw'], []],
  ])('%s', (_, groups, mounts, expected) => {
    const found = hierarchies(groups, mounts.join('\n'));
    expect(found.map(({ version, own }) => [version, own])).toEqual(expected);
  });
});

describe('limits of control groups', () => {
  const filesOf = (limits: Parameters<typeof groupLimits>[0], version: 1 | 2) =>
    groupLimits(limits).flatMap(({ files }) => files[version].map(({ name, value }) => [name, value]));

  it('are written as either version has them', () => {
    const limits = {
      memoryBytes: 100,
      swapBytes: 50,
      cpu: { quotaUs: 5000, periodUs: 10_000 },
      cpuset: '0-1',
    };
    expect(filesOf(limits, 2)).toEqual([
      ['memory.max', '100'],
      ['memory.swap.max', '50'],
      ['cpu.max', '5000 10000'],
      ['cpuset.cpus', '0-1'],
    ]);
    expect(filesOf(limits, 1)).toEqual([
      ['memory.limit_in_bytes', '100'],
      ['memory.memsw.limit_in_bytes', '150'],
      ['cpu.cfs_period_us', '10000'],
      ['cpu.cfs_quota_us', '5000'],
      ['cpuset.mems', undefined],
      ['cpuset.cpus', '0-1'],
    ]);
  });

  it('allow as much swap as memory, or any', () => {
    expect(filesOf({ memoryBytes: 100 }, 2)[1]).toEqual(['memory.swap.max', '100']);
    expect(filesOf({ memoryBytes: 100, swapBytes: 'unlimited' }, 2)[1]).toEqual(['memory.swap.max', 'max']);
    expect(filesOf({ memoryBytes: 100, swapBytes: 'unlimited' }, 1)[1]![1]).toBe('-1');
  });
});
