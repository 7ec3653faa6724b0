import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  capabilitiesOf,
  defaultCapabilities,
  heldCapabilities,
  maskOf,
} from '../../../builder/sandbox/capabilities.ts';
import { filterRules, ociSeccomp, type Seccomp } from '../../../builder/sandbox/seccomp.ts';
import { allowed, allowedWith, refused } from '../../../builder/sandbox/seccomp-table.ts';

interface ReferenceRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly args: readonly { readonly index: number; readonly value: number; readonly op: string }[] | null;
  readonly includes: { readonly caps?: readonly string[]; readonly arches?: readonly string[] };
  readonly excludes: { readonly caps?: readonly string[]; readonly arches?: readonly string[] };
}

const reference = new URL('../../../../shared/data/seccomp-x86_64.json', import.meta.url);

function seccompFor(capabilities: readonly string[], architecture: string): Seccomp {
  return ociSeccomp(filterRules(capabilities, architecture), architecture);
}

/** What a filter allows on x86-64: `name` or `name index op value`. */
function allowedBy(filter: Seccomp): string[] {
  return filter.syscalls
    .filter((rule) => rule.action === 'SCMP_ACT_ALLOW')
    .flatMap((rule) => rule.names.flatMap((name) => forms(name, rule.args ?? null)))
    .sort();
}

function forms(name: string, args: ReferenceRule['args']): string[] {
  return args === null || args.length === 0
    ? [name]
    : args.map((a) => `${name} ${a.index} ${a.op} ${a.value}`);
}

function referenceAllows(rules: readonly ReferenceRule[], capabilities: readonly string[]): string[] {
  const applies = ({ includes, excludes }: ReferenceRule): boolean =>
    (includes.arches === undefined || includes.arches.includes('amd64')) &&
    (includes.caps ?? []).every((name) => capabilities.includes(name)) &&
    !(excludes.arches ?? []).includes('amd64') &&
    !(excludes.caps ?? []).some((name) => capabilities.includes(name));
  const found = rules
    .filter((rule) => rule.action === 'SCMP_ACT_ALLOW' && applies(rule))
    .flatMap((rule) => rule.names.flatMap((name) => forms(name, rule.args)));
  return [...new Set(found)].sort();
}

describe('the filter', () => {
  const younger = allowed.at(-1)!.names.split(/\s+/);

  it.each<readonly [string, readonly string[]]>([
    ['the default capabilities', defaultCapabilities],
    ['no capability', []],
    ...Object.keys(allowedWith).map((name) => [name, [name]] as const),
  ])(
    'allows with %s what Docker allows, less io_uring and two families of sockets, and younger forms',
    (_, capabilities) => {
      if (!existsSync(reference)) {
        console.warn('skipped: the reference filter is not at hand');
        return;
      }
      const { syscalls } = JSON.parse(readFileSync(reference, 'utf8')) as { syscalls: ReferenceRule[] };
      const theirs = referenceAllows(syscalls, capabilities);
      const ours = allowedBy(seccompFor(capabilities, 'x64'));
      const more = ours.filter((rule) => !theirs.includes(rule) && !rule.startsWith('socket '));
      expect(more).toEqual([...younger].sort());
      expect(theirs.filter((rule) => !ours.includes(rule))).toEqual([
        'io_uring_enter',
        'io_uring_register',
        'io_uring_setup',
        'socket',
      ]);
    },
  );

  it('answers EPERM to what is refused, ENOSYS to what is not known', () => {
    const filter = seccompFor(defaultCapabilities, 'x64');
    const refusing = filter.syscalls.find((rule) => rule.errnoRet === 1 && rule.args === undefined)!;
    expect(refusing.names).toEqual(expect.arrayContaining(['mount', 'unshare', 'setns', 'keyctl', 'bpf']));
    expect(refusing.names).not.toContain('chroot');
    expect(refusing.names).not.toContain('clone3');
    expect(filter).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38 });
  });

  it('refuses namespaces in clone, and lets CAP_SYS_ADMIN have them', () => {
    const rules = (capabilities: readonly string[]) =>
      seccompFor(capabilities, 'x64').syscalls.filter((rule) => rule.names.includes('clone'));
    expect(rules([]).map((rule) => [rule.action, rule.args?.[0]?.value])).toEqual([
      ['SCMP_ACT_ALLOW', 0x7e020000],
      ['SCMP_ACT_ERRNO', 0x10000000],
    ]);
    expect(rules(['CAP_SYS_ADMIN']).map((rule) => rule.args)).toEqual([undefined]);
  });

  it('names no call in two groups, and gives each group a reason', () => {
    const groups = [...allowed, ...refused];
    const names = groups.flatMap((group) => group.names.split(/\s+/));
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    expect(groups.filter((group) => group.why.length < 20)).toEqual([]);
  });
});

describe('capabilities', () => {
  it('has the mask of the default set', () => {
    expect(maskOf(defaultCapabilities)).toBe('00000000a80425fb');
    expect([...capabilitiesOf('00000000a80425fb')].sort()).toEqual([...defaultCapabilities].sort());
  });

  it('hands on only what is permitted and bounding', () => {
    expect(heldCapabilities('CapPrm:\t0000000000000003\nCapBnd:\t0000000000000006\n')).toEqual([
      'CAP_DAC_OVERRIDE',
    ]);
  });
});
