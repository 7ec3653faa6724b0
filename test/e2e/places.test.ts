import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hostPlaces, placePrograms } from '../support/host-place.ts';
import {
  type BuildPlace,
  buildInPlace,
  type PlaceResult,
  type Target,
  targets,
} from '../support/place-build.ts';
import { type Built, foundBetween, readDifferences, stale, unlisted } from '../support/place-differences.ts';
import { type Compared, countTable, differenceTable, placeTable, withPart } from '../support/place-report.ts';
import { temporaryFolder } from '../support/shared.ts';
import { skip } from '../support/skips.ts';

/** Every target in every place; otherwise the long ones once a rung, and no database. */
const isFull = process.env.TSBUILD_TEST_FULL === '1';
const isWriting = process.env.TSBUILD_TEST_WRITE === '1';
const usual: readonly Target[] = ['people', 'npm', 'account', 'plain'];
const some = (fewer: readonly Target[]) => ({ targets: isFull ? usual : fewer });
const long = { targets: isFull ? targets : usual };
const short = some(['account', 'plain']);

/** Every place, with what its row of README.md says of it. Each image is compared with that of the first. */
const places: Readonly<Record<string, BuildPlace & { readonly about: string }>> = {
  root: { about: 'root on a machine', who: 'root', ...long },
  user: {
    about: 'an ordinary user with ranges in `/etc/subuid`',
    who: 'user',
    targets: isFull ? targets : ['people', 'account', 'plain'],
  },
  bare: simulated('bare', long),
  'no-new-privileges': simulated('no-new-privileges', short),
  'masked-proc': simulated('masked-proc', short),
  'read-only-root': simulated('read-only-root', short),
  'store-on-overlay': simulated('store-on-overlay', { store: '/var/tmp/store', ...short }),
  'one-uid': simulated('one-uid', short),
  'docker-unconfined': simulated('docker-unconfined', short),
  'docker-root': simulated('docker-root', short),
  'docker-chroot': {
    ...simulated('docker-root', short),
    about: 'the same, with `--isolation chroot`',
    flags: ['--isolation=chroot', '--network=host'],
  },
  restricted: simulated('restricted', { targets: usual }),
  'restricted-profile': simulated('restricted-profile', short),
  'store-on-tmpfs': {
    ...simulated('bare', { store: '/var/tmp/memory/store', ...short }),
    about: 'an ordinary user without newuidmap whose store lies on a tmpfs',
    host: {
      ...hostPlaces.bare,
      prepare: `${hostPlaces.bare.prepare}
        mkdir var/tmp/memory
        mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs var/tmp/memory`,
    },
  },
};
const names = Object.keys(places);

const differences = readDifferences();
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
  const foundIn = async (name: string) => foundBetween(await resultOf('root'), await resultOf(name));
  const told = () =>
    Promise.all(names.map(async (name) => ({ about: places[name]!.about, result: await resultOf(name) })));

  // Elsewhere a cell of the tables says so where something is not built.
  it.concurrent.each(['root', 'user', 'bare'])('%s builds all of it', async (name) => {
    const { codes, logs } = await resultOf(name);
    const failed = places[name]!.targets.filter((target) => codes[target] !== 0);
    expect(failed, failed.map((target) => logs[target]?.slice(-4000)).join('\n')).toEqual([]);
  });

  it.concurrent.each(names.slice(1))('%s builds the same, but for what is listed', async (name) => {
    const found = await foundIn(name);
    expect(found.filter(({ line }) => line.includes(': owner '))).toEqual([]);
    expect(unlisted(found, name, differences)).toEqual([]);
  });

  it('every difference that is listed is one', async () => {
    const built = new Map<string, Built>();
    for (const name of names.slice(1)) {
      const { codes } = await resultOf(name);
      const done = targets.filter((target) => codes[target] === 0);
      built.set(name, { targets: done, found: await foundIn(name) });
    }
    expect(stale(built, differences)).toEqual([]);
  });

  it('README.md tells what each place can do', async () => {
    const all = await told();
    checkFile('README.md', (text) => withPart(text, 'places', placeTable(all, usual, text)));
  });

  it('docs/places.md tells what was compared, and what may differ', async () => {
    const all = await told();
    const aboutOf = (name: string) => places[name]?.about ?? name;
    checkFile('docs/places.md', (text) =>
      withPart(
        withPart(text, 'places', placeTable(all, targets, text)),
        'differences',
        differenceTable(differences, aboutOf),
      ),
    );
  });

  // Packages of another day have other numbers of files: they are written, and compared with nothing.
  it.runIf(isFull && isWriting)('docs/places.md tells how much was compared', async () => {
    const compared: Compared[] = [];
    for (const name of ['user', 'bare']) {
      const [result, found] = [await resultOf(name), await foundIn(name)];
      for (const target of targets)
        compared.push({ about: places[name]!.about, target, layout: result.layout(target), found });
    }
    checkFile('docs/places.md', (text) => withPart(text, 'counts', countTable(compared)));
  });
});

/** The file is as `change` makes it, or becomes so. */
function checkFile(file: string, change: (text: string) => string): void {
  const text = readFileSync(file, 'utf8');
  const wanted = change(text);
  if (isWriting) writeFileSync(file, wanted);
  else expect(text).toBe(wanted);
}

function simulated(name: keyof typeof hostPlaces, build: Pick<BuildPlace, 'targets' | 'store'>) {
  const host = hostPlaces[name];
  return { about: host.about, who: host.who, host, ...build } satisfies BuildPlace & { about: string };
}
