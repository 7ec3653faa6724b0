import { numberOf, textOf, type Value } from '../hcl/value.ts';
import { type Functions, unfit } from './function.ts';

/** A time with the offset of the place that it was written for. */
interface Moment {
  readonly ms: number;
  readonly offsetMinutes: number;
}

/** Times as RFC 3339 writes them. */
export const dateFunctions: Functions = {
  formatdate: [2, 2, (pattern, time) => formatDate(textOf(pattern!), momentOf(textOf(time!)))],
  rfc3339parse: [1, 1, (time) => partsOf(momentOf(textOf(time!)))],
  timeadd: [2, 2, (time, span) => later(momentOf(textOf(time!)), millisecondsOf(textOf(span!)))],
  timestamp: [0, 0, () => written({ ms: Date.now(), offsetMinutes: 0 })],
  unixtimestampparse: [1, 1, (seconds) => partsOf({ ms: numberOf(seconds!) * 1000, offsetMinutes: 0 })],
};

const form = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function momentOf(text: string): Moment {
  const [, zone] = form.exec(text) ?? [];
  const ms = zone === undefined ? Number.NaN : Date.parse(text);
  if (Number.isNaN(ms)) throw unfit(`"${text}" is no time such as 2025-01-31T12:00:00Z`);
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(zone!) ?? [];
  const offset = hours === undefined ? 0 : Number(hours) * 60 + Number(minutes);
  return { ms, offsetMinutes: sign === '-' ? -offset : offset };
}

/** The same moment as a clock of its place shows it, in fields of UTC. */
function clockOf({ ms, offsetMinutes }: Moment): Date {
  return new Date(ms + offsetMinutes * 60_000);
}

function zoneOf({ offsetMinutes }: Moment, colon: string): string {
  const [hours, minutes] = [Math.floor(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60];
  return `${offsetMinutes < 0 ? '-' : '+'}${two(hours)}${colon}${two(minutes)}`;
}

function written(moment: Moment): string {
  const zone = moment.offsetMinutes === 0 ? 'Z' : zoneOf(moment, ':');
  return clockOf(moment).toISOString().slice(0, 19) + zone;
}

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

function millisecondsOf(text: string): number {
  const body = text.replace(/^[+-]/, '');
  if (!/^((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(body))
    throw unfit(`"${text}" is no time span such as 1h30m`);
  const sum = [...body.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (all, [, count, unit]) => all + Number(count) * units[unit!]!,
    0,
  );
  return text.startsWith('-') ? -sum : sum;
}

function later(moment: Moment, ms: number): string {
  return written({ ...moment, ms: moment.ms + ms });
}

const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July'],
  ...['August', 'September', 'October', 'November', 'December'],
];
const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** What each mnemonic stands for; letters between quotes are themselves. */
const mnemonics: Readonly<Record<string, (clock: Date, moment: Moment) => string>> = {
  YYYY: (clock) => String(clock.getUTCFullYear()).padStart(4, '0'),
  YY: (clock) => two(clock.getUTCFullYear() % 100),
  MMMM: (clock) => months[clock.getUTCMonth()]!,
  MMM: (clock) => months[clock.getUTCMonth()]!.slice(0, 3),
  MM: (clock) => two(clock.getUTCMonth() + 1),
  M: (clock) => String(clock.getUTCMonth() + 1),
  DD: (clock) => two(clock.getUTCDate()),
  D: (clock) => String(clock.getUTCDate()),
  EEEE: (clock) => weekdays[clock.getUTCDay()]!,
  EEE: (clock) => weekdays[clock.getUTCDay()]!.slice(0, 3),
  hh: (clock) => two(clock.getUTCHours()),
  h: (clock) => String(clock.getUTCHours()),
  HH: (clock) => two(clock.getUTCHours() % 12 || 12),
  H: (clock) => String(clock.getUTCHours() % 12 || 12),
  AA: (clock) => (clock.getUTCHours() < 12 ? 'AM' : 'PM'),
  aa: (clock) => (clock.getUTCHours() < 12 ? 'am' : 'pm'),
  mm: (clock) => two(clock.getUTCMinutes()),
  m: (clock) => String(clock.getUTCMinutes()),
  ss: (clock) => two(clock.getUTCSeconds()),
  s: (clock) => String(clock.getUTCSeconds()),
  ZZZZZ: (_, moment) => zoneOf(moment, ':'),
  ZZZZ: (_, moment) => zoneOf(moment, ''),
  ZZZ: (_, moment) => (moment.offsetMinutes === 0 ? 'UTC' : zoneOf(moment, '')),
  Z: (_, moment) => (moment.offsetMinutes === 0 ? 'Z' : zoneOf(moment, ':')),
};

function formatDate(pattern: string, moment: Moment): string {
  const clock = clockOf(moment);
  return pattern.replace(/''|'((?:[^']|'')*)'|'|([a-zA-Z])\2*/g, (token, quoted?: string) => {
    if (token === "''") return "'";
    if (quoted !== undefined) return quoted.replaceAll("''", "'");
    const mnemonic = mnemonics[token];
    if (mnemonic === undefined) throw unfit(`a format of dates does not know "${token}"`);
    return mnemonic(clock, moment);
  });
}

function partsOf(moment: Moment): Value {
  const clock = clockOf(moment);
  const { isoYear, isoWeek } = isoWeekOf(clock);
  return new Map<string, Value>([
    ['rfc3339', written(moment)],
    ['unix', Math.floor(moment.ms / 1000)],
    ['year', clock.getUTCFullYear()],
    ['year_day', dayOfYear(clock)],
    ['month', clock.getUTCMonth() + 1],
    ['month_name', months[clock.getUTCMonth()]!],
    ['day', clock.getUTCDate()],
    ['weekday', clock.getUTCDay()],
    ['weekday_name', weekdays[clock.getUTCDay()]!],
    ['hour', clock.getUTCHours()],
    ['minute', clock.getUTCMinutes()],
    ['second', clock.getUTCSeconds()],
    ['iso_year', isoYear],
    ['iso_week', isoWeek],
  ]);
}

const DAY_MS = 86_400_000;

function dayOfYear(clock: Date): number {
  return Math.floor((clock.getTime() - Date.UTC(clock.getUTCFullYear(), 0, 1)) / DAY_MS) + 1;
}

/** A week belongs to the year of its Thursday. */
function isoWeekOf(clock: Date): { readonly isoYear: number; readonly isoWeek: number } {
  const thursday = new Date(clock.getTime() + (4 - (clock.getUTCDay() || 7)) * DAY_MS);
  return { isoYear: thursday.getUTCFullYear(), isoWeek: Math.ceil(dayOfYear(thursday) / 7) };
}
