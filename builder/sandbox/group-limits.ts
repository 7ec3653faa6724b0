import type { Limits } from '../../src/core/options.ts';

/** One limit as files of a control group. */
export interface GroupLimit {
  /** The flag by which people know it. */
  readonly flag: string;
  readonly controller: string;
  /** By the version of control groups, in the order of writing. */
  readonly files: Readonly<Record<1 | 2, readonly GroupFile[]>>;
}

export interface GroupFile {
  readonly name: string;
  /** What is written; without it what the group above has. */
  readonly value?: string;
  /** It is not on every machine, and does without there. */
  readonly optional?: boolean;
}

/** Programs around a step's command are counted with it: a runtime and its threads. */
const TASKS_AROUND = 16;

/** What control groups can hold of the limits asked for. */
export function groupLimits(limits: Limits): readonly GroupLimit[] {
  const { memoryBytes, swapBytes, cpu, cpuset, pids } = limits;
  return [
    ...(memoryBytes === undefined ? [] : [memoryLimit(memoryBytes, swapBytes ?? memoryBytes)]),
    ...(cpu === undefined ? [] : [cpuLimit(cpu)]),
    ...(cpuset === undefined ? [] : [cpusetLimit(cpuset)]),
    ...(pids === undefined ? [] : [pidsLimit(pids)]),
  ];
}

/** Version 1 counts memory and swap together. Either's file is missing where the kernel does not count swap. */
function memoryLimit(bytes: number, swap: number | 'unlimited'): GroupLimit {
  const both = swap === 'unlimited' ? '-1' : String(bytes + swap);
  return {
    flag: '--memory',
    controller: 'memory',
    files: {
      1: [
        { name: 'memory.limit_in_bytes', value: String(bytes) },
        { name: 'memory.memsw.limit_in_bytes', value: both, optional: true },
      ],
      2: [
        { name: 'memory.max', value: String(bytes) },
        { name: 'memory.swap.max', value: swap === 'unlimited' ? 'max' : String(swap), optional: true },
      ],
    },
  };
}

function cpuLimit({ quotaUs, periodUs }: NonNullable<Limits['cpu']>): GroupLimit {
  return {
    flag: '--cpus',
    controller: 'cpu',
    files: {
      1: [
        { name: 'cpu.cfs_period_us', value: String(periodUs) },
        { name: 'cpu.cfs_quota_us', value: String(quotaUs) },
      ],
      2: [{ name: 'cpu.max', value: `${quotaUs} ${periodUs}` }],
    },
  };
}

function cpusetLimit(cpus: string): GroupLimit {
  const file = { name: 'cpuset.cpus', value: cpus };
  return {
    flag: '--cpuset-cpus',
    controller: 'cpuset',
    files: { 1: [{ name: 'cpuset.mems' }, file], 2: [file] },
  };
}

function pidsLimit(count: number): GroupLimit {
  const files = [{ name: 'pids.max', value: String(count + TASKS_AROUND) }];
  return { flag: '--pids-limit', controller: 'pids', files: { 1: files, 2: files } };
}
