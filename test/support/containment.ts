import { readFileSync } from 'node:fs';
import { asWithoutMounts, type SandboxCase } from './sandbox-cases.ts';
import type { Who } from './sandbox-place.ts';

/** Where a probe runs: which engine on which rung, and whether its /proc is a bound one that shows outer processes. */
export interface ProbedPlace {
  readonly engine: string;
  readonly rung: string;
  readonly who: Who;
  readonly proc: 'own' | 'bound';
}

/** Where a probe gets through all the same; every member that is named must be that of the place. */
export interface Gap {
  readonly engine?: string;
  readonly rung?: string;
  readonly proc?: 'own' | 'bound';
  readonly network?: 'host' | 'none';
  readonly why: string;
}

export interface ProbeCase extends SandboxCase {
  readonly notHeldBy?: readonly Gap[];
  /** Numbers of system calls are those of one machine. */
  readonly x64?: boolean;
  /** No process may be left that has an argument which begins so. */
  readonly gone?: string;
}

/** One thing that a hostile step tries, and by what it is tried: cases run here, or tests that stand elsewhere. */
export interface Probe {
  readonly probe: number;
  readonly title: string;
  readonly cases: readonly ProbeCase[];
  /** Names in testdata/sandbox/mounts.json. */
  readonly mounts?: readonly string[];
  /** Folders of testdata/build. */
  readonly builds?: readonly string[];
  readonly tests?: readonly string[];
}

export function readProbes(): readonly Probe[] {
  const url = new URL('../../testdata/sandbox/containment.json', import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as Probe[];
}

/** The places that claim to hold, best first; the columns of the table are their rungs. */
export const probedPlaces: readonly ProbedPlace[] = [
  { engine: 'builtin', rung: 'root', who: 'root', proc: 'own' },
  { engine: 'builtin', rung: 'subuid', who: 'user', proc: 'own' },
  { engine: 'crun', rung: 'root', who: 'root', proc: 'own' },
  { engine: 'crun', rung: 'subuid', who: 'user', proc: 'own' },
  { engine: 'runc', rung: 'root', who: 'root', proc: 'own' },
  { engine: 'runc', rung: 'subuid', who: 'user', proc: 'own' },
  { engine: 'builtin', rung: 'single', who: 'user', proc: 'own' },
  { engine: 'builtin', rung: 'subuid', who: 'user', proc: 'bound' },
  { engine: 'crun', rung: 'subuid', who: 'user', proc: 'bound' },
  { engine: 'builtin', rung: 'single', who: 'user', proc: 'bound' },
  { engine: 'builtin', rung: 'chroot', who: 'root', proc: 'own' },
];

/** The case as it is at a place. */
export function caseAt(one: ProbeCase, { rung }: ProbedPlace): ProbeCase {
  return rung === 'chroot' ? asWithoutMounts(one) : one;
}

/** Why a probe gets through at a place; undefined where it is held. */
export function gapAt(one: ProbeCase, place: ProbedPlace, network: 'host' | 'none'): Gap | undefined {
  const facts: Readonly<Record<string, string>> = {
    engine: place.engine,
    rung: place.rung,
    proc: place.proc,
    network,
  };
  return one.notHeldBy?.find((gap) =>
    ['engine', 'rung', 'proc', 'network'].every((member) => {
      const named = gap[member as keyof Gap];
      return named === undefined || named === facts[member];
    }),
  );
}

/** The networks with which a case runs at a place: `none` is refused without namespaces. */
export function networksOf({ network }: ProbeCase, { rung }: ProbedPlace): readonly ('host' | 'none')[] {
  const all = network === undefined ? (['host', 'none'] as const) : [network];
  return rung === 'chroot' ? all.filter((one) => one === 'host') : all;
}

const begin = '<!-- written by the tests: TSBUILD_TEST_WRITE=1 -->';
const end = '<!-- end -->';

/** docs/containment.md with its table as the probes have it now. */
export function withTable(text: string, probes: readonly Probe[]): string {
  const [before, after] = [text.split(begin)[0], text.split(end)[1]];
  if (before === undefined || after === undefined)
    throw new Error('docs/containment.md has no place for the table');
  return `${before}${begin}\n\n${tableOf(probes)}\n${end}${after}`;
}

function tableOf(probes: readonly Probe[]): string {
  const columns = columnsOf();
  const notes: string[] = [];
  const note = (text: string): number => {
    if (!notes.includes(text)) notes.push(text);
    return notes.indexOf(text) + 1;
  };
  const rows = probes.map((probe) => {
    const cells = columns.map((column) => cellOf(probe, column.places, note));
    return `| ${probe.probe} | ${probe.title} | ${cells.join(' | ')} |`;
  });
  const head = `| | A step tries to … | ${columns.map(({ name }) => name).join(' | ')} |`;
  const rule = `|--:|---|${columns.map(() => '---').join('|')}|`;
  return [head, rule, ...rows, '', ...notes.map((text, at) => `${at + 1}. ${text}`), ''].join('\n');
}

interface Column {
  readonly name: string;
  readonly places: readonly ProbedPlace[];
}

function columnsOf(): readonly Column[] {
  const nameOf = ({ rung, proc }: ProbedPlace): string =>
    proc === 'own' ? `\`${rung}\`` : `\`${rung}\`, bound /proc`;
  const names = [...new Set(probedPlaces.map(nameOf))];
  return names.map((name) => ({ name, places: probedPlaces.filter((place) => nameOf(place) === name) }));
}

function cellOf(probe: Probe, places: readonly ProbedPlace[], note: (text: string) => number): string {
  const gaps = probe.cases.flatMap((one) =>
    places.flatMap((place) =>
      networksOf(one, place).flatMap((network) => {
        const gap = gapAt(caseAt(one, place), place, network);
        return gap === undefined ? [] : [textOf(one, gap)];
      }),
    ),
  );
  if (gaps.length === 0) return 'held';
  const numbers = [...new Set(gaps.map(note))].sort((a, b) => a - b);
  return `but for ${numbers.join(', ')}`;
}

function textOf({ name }: ProbeCase, { engine, network, why }: Gap): string {
  const where = [
    ...(network === undefined ? [] : [`with ${network === 'none' ? 'no' : "the host's"} network`]),
    ...(engine === undefined ? [] : [`with ${engine}`]),
  ];
  return `“${name}”${where.length === 0 ? '' : `, ${where.join(', ')}`}: ${why}.`;
}
