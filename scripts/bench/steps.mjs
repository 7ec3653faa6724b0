// What a RUN costs besides what it runs: a build of six steps less one of none, by six, beside buildah's; and the same
// where the steps take 100 ms, so that the next one can be made ready meanwhile.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quiet } from '../machine.mjs';
import { buildah, tsbuild } from './builders.mjs';
import { context } from './inputs.mjs';
import { summary } from './summary.mjs';

const steps = 6;
/** Milliseconds of one step of `sleepy`. */
const sleepMs = 100;

/**
 * The rows: name, what each step runs, how long that takes, the bound in milliseconds for each step, the runtime.
 * Without `beside` buildah is not asked.
 */
const rows = [
  { name: 'runs', about: 'built-in engine', command: 'true', ownMs: 0, boundMs: 30, beside: true },
  { name: 'runs-crun', about: 'crun', command: 'true', ownMs: 0, boundMs: 40, runtime: 'crun', beside: true },
  { name: 'sleepy', about: 'built-in engine', command: 'sleep 0.1', ownMs: sleepMs, boundMs: 12 },
];

export const stepNames = rows.map((row) => row.name);

/** Measures the row `name`: `runs` times, builders taking turns, with and without the steps. */
export function measureSteps(name, { folder, base, runs }) {
  const row = rows.find((one) => one.name === name);
  const builders = row.beside ? [tsbuild, buildah] : [tsbuild];
  const times = { tsbuild: [], buildah: [] };
  for (let run = 0; run <= runs; run += 1)
    for (const builder of builders) {
      const [none, all] = [0, steps].map((count) => timed(builder, { row, count, folder, base }));
      // The first run warms the page cache and unpacks the base.
      if (run > 0) times[builder.name].push((all - none) / steps - row.ownMs);
    }
  const ours = summary(times.tsbuild);
  const about = `${row.about}: RUN ${row.command}, a step of ${steps}, less its own time`;
  const theirs = row.beside && summary(times.buildah);
  return {
    name,
    about,
    tsbuild: ours,
    ...(theirs && { buildah: theirs, ratio: ours.median / theirs.median }),
    target: row.boundMs / 1000,
    reached: ours.least <= row.boundMs,
  };
}

function timed(builder, { row, count, folder, base }) {
  const text = `FROM ${base}\nLABEL steps=${count}\n${`RUN ${row.command}\n`.repeat(count)}`;
  const path = context(folder, `${row.name}-${count}`, text, (at) => writeFileSync(join(at, 'file'), ''));
  const store = join(folder, `store-${row.name}-${builder.name}`);
  const image = `${row.name}-${count}:1`;
  const job = { store, path, image, runtime: row.runtime, workload: { noCache: true } };
  quiet(['mkdir', '-p', store]);
  const start = process.hrtime.bigint();
  quiet(builder.build(job));
  return Number(process.hrtime.bigint() - start) / 1e6;
}
