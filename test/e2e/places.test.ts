import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hostPlaces, placePrograms } from '../support/host-place.ts';
import { compareImages } from '../support/layers.ts';
import { type BuildPlace, buildInPlace, type PlaceResult, targets } from '../support/place-build.ts';
import { temporaryFolder } from '../support/shared.ts';
import { skip } from '../support/skips.ts';

/** Every target in every place; otherwise the long ones once a rung. */
const isFull = process.env.TSBUILD_TEST_FULL === '1' || process.env.TSBUILD_TEST_WRITE === '1';
const short: Pick<BuildPlace, 'targets'> = isFull ? {} : { targets: ['account', 'plain'] };
const people: Pick<BuildPlace, 'targets'> = isFull ? {} : { targets: ['people', 'account', 'plain'] };

/** Every place, with what its row of README.md says of it. Each image is compared with that of the first. */
const places: Readonly<Record<string, BuildPlace & { readonly about: string }>> = {
  root: { about: 'root on a machine', who: 'root' },
  user: { about: 'an ordinary user with ranges in `/etc/subuid`', who: 'user', ...people },
  bare: simulated('bare'),
  'no-new-privileges': { ...simulated('no-new-privileges'), ...short },
  'masked-proc': { ...simulated('masked-proc'), ...short },
  'read-only-root': { ...simulated('read-only-root'), ...short },
  'store-on-overlay': { ...simulated('store-on-overlay'), ownStore: true, ...short },
  'one-uid': { ...simulated('one-uid'), ...short },
  'docker-unconfined': { ...simulated('docker-unconfined'), ...short },
  'docker-root': { ...simulated('docker-root'), ...short },
  'docker-chroot': {
    ...simulated('docker-root'),
    about: 'the same, with `--isolation chroot`',
    flags: ['--isolation=chroot', '--network=host'],
    ...short,
  },
};
const names = Object.keys(places);

interface Difference {
  readonly reason: string;
  /** Regular expressions over the lines of `compareImages(root's, the place's)`. */
  readonly lines: readonly string[];
  /** The places that differ so, where they build it; the others must not. Without it, any may. */
  readonly only?: readonly string[];
  /** Two images may happen to be the same in this. */
  readonly sometimes?: boolean;
}

const differences = JSON.parse(readFileSync('testdata/places/differences.json', 'utf8')) as Difference[];
const needs = { root: true, programs: ['mmdebstrap', 'skopeo', 'busybox', 'npm', ...placePrograms] };
const minutes = 60_000;

describe.skipIf(skip('places', needs))('the same image from every place', { timeout: 15 * minutes }, () => {
  const folder = temporaryFolder('places');
  const results = new Map<string, Promise<PlaceResult>>();
  afterAll(() => folder[Symbol.asyncDispose]());

  const resultOf = (name: string): Promise<PlaceResult> => {
    const known = results.get(name) ?? buildInPlace(places[name]!, join(folder.path, name));
    results.set(name, known);
    return known;
  };
  const differencesOf = async (name: string): Promise<string[]> => {
    const [reference, result] = [await resultOf('root'), await resultOf(name)];
    const built = targets.filter((target) => result.codes[target] === 0);
    return built.flatMap((target) => compareImages(reference.layout(target), result.layout(target)));
  };

  it('root builds all of it', async () => {
    const { codes, logs } = await resultOf('root');
    expect(codes, Object.values(logs).join('\n').slice(-4000)).toEqual({
      people: 0,
      npm: 0,
      account: 0,
      plain: 0,
    });
  });

  it.concurrent.each(names.slice(1))('%s builds the same, but for what is listed', async (name) => {
    const known = differences
      .filter(({ only }) => only?.includes(name) ?? true)
      .flatMap(({ lines }) => lines.map((line) => new RegExp(line)));
    const found = await differencesOf(name);
    expect(found.filter((line) => !known.some((pattern) => pattern.test(line)))).toEqual([]);
  });

  it('every difference that is listed is one', async () => {
    const found = new Map<string, string[]>();
    for (const name of names.slice(1))
      if ((await resultOf(name)).codes.people === 0) found.set(name, await differencesOf(name));
    const stale = differences
      .filter(({ sometimes }) => sometimes !== true)
      .flatMap(({ lines, only }) =>
        (only?.filter((name) => found.has(name)) ?? ['anywhere']).flatMap((name) => {
          const here = found.get(name) ?? [...found.values()].flat();
          return lines
            .filter((line) => !here.some((one) => new RegExp(line).test(one)))
            .map((line) => `${name}: ${line}`);
        }),
      );
    expect(stale).toEqual([]);
  });

  it('README.md tells what each place can do', async () => {
    const readme = readFileSync('README.md', 'utf8');
    const rows: string[] = [];
    for (const name of names) rows.push(rowOf(name, await resultOf(name), readme));
    const table = [
      '| where | a RUN runs | ten packages of Debian | `npm ci` | an account in busybox | without RUN |',
      '|---|---|---|---|---|---|',
      ...rows,
    ].join('\n');
    const [start, end] = ['<!-- places -->\n', '\n<!-- /places -->'];
    const before = readme.slice(0, readme.indexOf(start) + start.length);
    const written = `${before}${table}${readme.slice(readme.indexOf(end))}`;
    if (process.env.TSBUILD_TEST_WRITE === '1') writeFileSync('README.md', written);
    else expect(readme).toBe(written);
  });
});

function simulated(name: keyof typeof hostPlaces): BuildPlace & { readonly about: string } {
  const host = hostPlaces[name];
  return { about: host.about, who: host.who, host };
}

/** What the build says of the sandbox stands in the row in its own words; a build that was not tried keeps its cell. */
function rowOf(name: string, { codes, logs }: PlaceResult, readme: string): string {
  const { about } = places[name]!;
  const how = /^RUN uses (.*?)(?: \(.*\))?$/m.exec(logs.account ?? '')?.[1] ?? '–';
  const line = readme.split('\n').find((one) => one.startsWith(`| ${about} | `)) ?? '';
  const former = line
    .split(' | ')
    .slice(2)
    .map((cell) => cell.replace(/ \|$/, ''));
  const mark = (code: number | undefined) => (code === undefined ? undefined : code === 0 ? 'yes' : 'no');
  const marks = targets.map((target, n) => mark(codes[target]) ?? former[n]);
  return `| ${[about, how, ...marks].join(' | ')} |`;
}
