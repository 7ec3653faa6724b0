// `npm run bench [-- WORKLOAD…] [--runs N] [--json] [--folder DIR]`: tsbuild beside Debian's buildah, alternating;
// median, least and most of N runs after one that does not count, and the ratio with its target. Needs root, for
// both are measured as root (and once as an ordinary user). Stores are never deleted between runs: a file system is
// slower near trees that were just deleted.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildah, tsbuild } from './bench/builders.mjs';
import { baseLayouts, context, largeFile, pushLayout, startRegistry, version } from './bench/inputs.mjs';
import { measureOwners, ownerNames } from './bench/owners.mjs';
import { parseTimes } from './bench/parse.mjs';
import { measureSteps, stepNames } from './bench/steps.mjs';
import { summary } from './bench/summary.mjs';
import { measureResets, measureTransfer, transferNames } from './bench/transfers.mjs';
import { contextOf, workloads } from './bench/workloads.mjs';
import { checkNode, has, installCommand, isRoot, quiet, root } from './machine.mjs';
import { asUser, createUser, environmentOf, installPackage } from './ordinary-user.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    folder: { type: 'string', default: tmpdir() },
  },
});
const extras = [
  ...stepNames,
  ...ownerNames,
  ...transferNames,
  'resets',
  'start',
  'start-user',
  'memory',
  'parse',
];
const wanted = positionals.length > 0 ? positionals : [...workloads.map((one) => one.name), ...extras];
const runs = Number(values.runs);
/** The story goes to stderr when stdout carries JSON. */
const say = values.json ? console.error : console.log;

/** Reading a file needs no builder, no registry and no root. */
const onlyParse = wanted.every((name) => name === 'parse');
checkPrerequisites();
const folder = mkdtempSync(join(values.folder, 'tsbuild-bench-'));
let registry;
try {
  say(`${cpus().length} processors (${cpus()[0]?.model}), Linux ${release()}, Node ${process.versions.node}`);
  const results = onlyParse ? [] : await measureBuilds();
  if (wanted.includes('parse')) results.push(measureParse());
  if (values.json) console.log(JSON.stringify(results, null, 2));
  else print(results);
} finally {
  registry?.stop();
  spawnSync('sh', ['-c', 'grep -o " $1/[^ ]*" /proc/self/mounts | sort -r | xargs -r umount', 'sh', folder]);
  rmSync(folder, { recursive: true, force: true });
}

async function measureBuilds() {
  say(`tsbuild ${version([join(root, 'bin/tsbuild'), '--version'])}; ${version(['buildah', '--version'])}`);
  registry = await startRegistry(join(folder, 'registry'));
  const bases = { debian: `${registry.host}/debian:bench`, big: `${registry.host}/big:bench` };
  const layouts = baseLayouts(folder);
  for (const [name, reference] of Object.entries(bases)) pushLayout(layouts[name], reference);
  const results = [];
  for (const workload of workloads.filter((one) => wanted.includes(one.name)))
    results.push(await measure(workload, bases));
  for (const name of stepNames.filter((one) => wanted.includes(one)))
    results.push(measureSteps(name, { folder, base: bases.debian, runs }));
  for (const name of ownerNames.filter((one) => wanted.includes(one)))
    results.push(measureOwners(name, { folder, base: bases.debian, runs, user: await ordinaryUser() }));
  for (const name of transferNames.filter((one) => wanted.includes(one)))
    results.push(await measureTransfer(name, { folder, registry, runs }));
  if (wanted.includes('resets')) results.push(await measureResets({ folder, peakMemory }));
  if (wanted.includes('start')) results.push(measureStart({ name: 'start', target: 3 }));
  if (wanted.includes('start-user'))
    results.push(measureStart({ name: 'start-user', target: 2, user: await ordinaryUser() }));
  if (wanted.includes('memory')) results.push(await measureMemory());
  return results;
}

function checkPrerequisites() {
  checkNode();
  const known = [...workloads.map((one) => one.name), ...extras];
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`no workload ${unknown.join(', ')}; there are ${known.join(', ')}`);
  if (onlyParse) return;
  const packages = {
    buildah: 'buildah',
    runc: 'runc',
    crun: 'crun',
    skopeo: 'skopeo',
    mmdebstrap: 'mmdebstrap',
  };
  const programs = { ...packages, 'docker-registry': 'docker-registry' };
  const missing = Object.keys(programs).filter((name) => !has(name));
  if (missing.length > 0)
    throw new Error(`first run: ${installCommand(missing.map((name) => programs[name]))}`);
  if (!isRoot) throw new Error('both builders are measured as root: run this as root');
}

async function measure(workload, bases) {
  say(`\n${workload.name}: ${workload.about}`);
  const user = workload.asUser ? await ordinaryUser() : undefined;
  const path = contextOf(workload, folder, bases);
  if (user !== undefined) quiet(['chmod', '-R', 'a+rX', folder]);
  const times = { tsbuild: [], buildah: [] };
  const commands = {};
  for (let run = 0; run <= runs; run += 1)
    for (const builder of [tsbuild, buildah]) {
      const { ms, command } = await once(builder, { workload, path, user, run });
      commands[builder.name] = command;
      // The first run warms the page cache and makes what a kept store holds.
      if (run > 0) times[builder.name].push(ms);
    }
  for (const [name, command] of Object.entries(commands)) say(`  ${name}: ${command.join(' ')}`);
  const result = resultOf(workload, times);
  const seconds = ({ median }) => (median / 1000).toFixed(2);
  say(`  ${seconds(result.tsbuild)} s, ${seconds(result.buildah)} s, ratio ${result.ratio.toFixed(2)}`);
  return result;
}

/** One run of one builder: what must be there is made first, then the command is timed. */
async function once(builder, { workload, path, user, run }) {
  const home = user === undefined ? folder : join(user.home, 'bench');
  const store = join(home, `store-${workload.name}-${builder.name}`);
  if (user !== undefined) quiet(asUser(user, ['mkdir', '-p', store]), { cwd: user.home });
  if (workload.store === 'fresh') {
    if (run > 0) renameSync(store, `${store}-${run}`);
    mkdirSync(store);
  }
  const fresh =
    workload.registry === 'fresh'
      ? await startRegistry(join(folder, `data-${builder.name}-${run}`))
      : undefined;
  try {
    const host = fresh?.host ?? registry.host;
    const job = {
      store,
      path,
      user,
      workload,
      image: `${host}/bench/${workload.name}-${builder.name}-${run}:1`,
    };
    const options = {
      env: user === undefined ? process.env : environmentOf(user),
      cwd: user?.home ?? folder,
    };
    const run_ = (command) => quiet(user === undefined ? command : asUser(user, command), options);
    if (workload.push === 'only') run_(builder.build(job));
    workload.before?.(path, `${builder.name} ${run}`);
    const command = workload.push === 'only' ? builder.push(job) : builder.build(job);
    const start = process.hrtime.bigint();
    run_(command);
    return { ms: Number(process.hrtime.bigint() - start) / 1e6, command };
  } finally {
    fresh?.stop();
  }
}

function resultOf(workload, times) {
  const [ours, theirs] = [summary(times.tsbuild), summary(times.buildah)];
  const ratio = ours.median / theirs.median;
  // Within the spread of its bound counts as reached.
  const reached = ours.least / theirs.median <= workload.target || ratio <= workload.target;
  return {
    name: workload.name,
    about: workload.about,
    tsbuild: ours,
    buildah: theirs,
    ratio,
    target: workload.target,
    reached,
  };
}

/** A small build of which everything is cached, against an empty Node program, by root or by an ordinary user. */
function measureStart({ name, target, user }) {
  const path = context(folder, name, 'FROM scratch\nCOPY . /\n', (at) => {
    for (let n = 0; n < 10; n += 1) quiet(['sh', '-c', `echo ${n} > ${at}/${n}.txt`]);
  });
  if (user !== undefined) quiet(['chmod', '-R', 'a+rX', folder]);
  const store = user === undefined ? join(folder, `store-${name}`) : join(user.home, 'bench', name);
  const build = tsbuild.build({ store, path, user, image: 'start:1', workload: {} });
  const as = (command) => (user === undefined ? command : asUser(user, command));
  // Node alone reads these authorities at every start, which takes longer than the rest of it.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = user === undefined ? process.env : environmentOf(user);
  const options = { env, ...(user !== undefined && { cwd: user.home }) };
  const times = { tsbuild: [], node: [] };
  for (let run = 0; run <= 2 * runs; run += 1)
    for (const [program, command] of [
      ['tsbuild', build],
      ['node', [process.execPath, '-e', '0']],
    ]) {
      const start = process.hrtime.bigint();
      quiet(as(command), options);
      if (run > 0) times[program].push(Number(process.hrtime.bigint() - start) / 1e6);
    }
  const [ours, node] = [summary(times.tsbuild), summary(times.node)];
  const ratio = ours.median / node.median;
  const about = `ten files, all cached, against node -e 0${user === undefined ? '' : ', as an ordinary user'}`;
  return { name, about, tsbuild: ours, node, ratio, target, reached: ratio <= target };
}

/** A Containerfile of a megabyte, text to graph; the bound is in seconds. */
function measureParse() {
  const { length, times } = parseTimes(folder, 2 * runs);
  const ours = summary(times);
  const about = `a Containerfile of ${length} characters, text to graph`;
  return { name: 'parse', about, tsbuild: ours, target: 0.1, reached: ours.least <= 100 };
}

/** The most memory (VmHWM) of the Node process that builds and pushes a layer of 2 GiB. */
async function measureMemory() {
  const path = context(folder, 'memory', 'FROM scratch\nCOPY large /\n', (at) => largeFile(at, 2 * 2 ** 30));
  const fresh = await startRegistry(join(folder, 'data-memory'));
  try {
    const image = `${fresh.host}/bench/memory:1`;
    const job = { store: join(folder, 'store-memory'), path, image, workload: { push: 'too' } };
    const mebibytes = await peakMemory(tsbuild.build(job));
    return {
      name: 'memory',
      about: 'VmHWM in MiB, 2 GiB layer built and pushed',
      mebibytes,
      target: 400,
      reached: mebibytes < 400,
    };
  } finally {
    fresh.stop();
  }
}

function peakMemory(command) {
  return new Promise((resolve, reject) => {
    let peak = 0;
    const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    const timer = setInterval(() => {
      peak = Math.max(peak, highWater(child.pid));
    }, 20);
    child.on('close', (code) => {
      clearInterval(timer);
      if (code === 0) resolve(Math.round(peak / 1024));
      else reject(new Error(`${command.join(' ')}: exit ${code}\n${said}`));
    });
  });
}

/** KiB; the launcher replaces itself by Node, so the pid is Node's. */
function highWater(pid) {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function ordinaryUser() {
  const user = createUser('tsbuild-bench');
  rmSync(join(user.home, 'bench'), { recursive: true, force: true });
  return { ...user, tsbuild: await installPackage(user, join(user.home, 'installed')) };
}

function print(results) {
  const seconds = ({ median, least, most }) => [median, least, most].map((ms) => (ms / 1000).toFixed(3));
  const cell = (part) =>
    part === undefined ? '' : `${seconds(part)[0]} (${seconds(part)[1]}–${seconds(part)[2]})`;
  const rows = results.map((one) => [
    one.name,
    one.mebibytes === undefined ? cell(one.tsbuild) : `${one.mebibytes} MiB`,
    cell(one.peer ?? one.buildah ?? one.node),
    one.ratio === undefined ? '' : one.ratio.toFixed(2),
    String(one.target),
    one.reached ? 'yes' : 'NO',
  ]);
  const table = [['workload', 'tsbuild s', 'peer s', 'ratio', 'target', 'reached'], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  say('');
  for (const row of table) say(row.map((text, column) => text.padEnd(widths[column])).join('  '));
}
