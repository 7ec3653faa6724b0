import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { type Machine, type MachineOptions, machinePrograms, newMachine } from '../support/machine.ts';
import { processesGone } from '../support/processes.ts';
import { type Outcome, run } from '../support/programs.ts';
import { has, skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

const base = 'localhost/tsbuild-test/busybox:1';
const needs = { root: true, programs: ['busybox', ...machinePrograms] };
const connectors = ['slirp4netns', 'pasta'] as const;
const engines = ['builtin', 'crun', 'runc'].filter((name) => name === 'builtin' || has(name));

describe.skipIf(skip('private networks', needs)).each(['root', 'user'] as const)('as %s', (who) => {
  let tsbuild: AsyncDisposable & Tsbuild;
  let machine: Machine;
  beforeAll(async () => {
    tsbuild = await newTsbuild(who);
    await loadBases(tsbuild, [await busyboxBase()]);
    machine = await newMachine(join(tsbuild.folder, 'machine'));
  });
  afterAll(() => tsbuild?.[Symbol.asyncDispose]());

  /** Builds a file on the machine. */
  async function build(
    lines: readonly string[],
    flags: readonly string[],
    options: MachineOptions & { readonly said?: (output: string) => void } = {},
  ): Promise<Outcome> {
    const context = join(tsbuild.folder, `context-${readdirSync(tsbuild.folder).length}`);
    mkdirSync(context);
    writeFileSync(join(context, 'Containerfile'), [`FROM ${base}`, ...lines, ''].join('\n'));
    await tsbuild.give(context);
    const words = ['build', '--no-cache', '--progress', 'plain', ...flags, context];
    return await run(machine.run(tsbuild.commandLine(words), options), {
      env: tsbuild.env,
      cwd: tsbuild.folder,
      ...(options.said && { said: options.said }),
    });
  }

  describe.each(connectors)('%s', (connector) => {
    if (skip(`private networks by ${connector}`, { programs: [connector] })) return;
    const without = connectors.filter((other) => other !== connector && has(other));

    // How an engine enters the namespace does not depend on what connects it.
    it.each(connector === 'slirp4netns' ? engines : ['builtin'])(
      'connects all steps of a build, and not to what is inside of the machine (%s)',
      async (runtime) => {
        const greeting = (host: string) => `$(sleep 1 | timeout 3 nc ${host} ${machine.port} | head -n 1)`;
        const look = `echo "ns $(readlink /proc/self/ns/net) in=${greeting('10.0.2.2')} self=${greeting('127.0.0.1')} out=${greeting('gate')} named=${greeting('some.example')}"`;
        const flags = ['--network=private', '--add-host=gate:host-gateway', '--runtime', runtime];
        const outcome = await build(
          [`RUN ${look}`, `RUN ${look}; ip link set lo down; cat /etc/resolv.conf`],
          flags,
          { without },
        );
        expect(outcome.code, outcome.stderr).toBe(0);
        const seen = [...outcome.stderr.matchAll(/ ns net:\[(\d+)\] (in=.*)$/gm)].map((match) =>
          match.slice(1),
        );
        expect(
          seen.map(([, reached]) => reached),
          outcome.stderr,
        ).toEqual(Array(2).fill('in= self= out=outside named=outside'));
        expect(seen[0]![0]).toBe(seen[1]![0]);
        expect(outcome.stderr).toMatch(/ nameserver 10\.0\.2\.3$/m);
        expect(outcome.stderr).toMatch(/ search machine\.example$/m);
        expect(outcome.stderr).not.toMatch(/ nameserver 127/m);
        expect(await processesGone(tsbuild.folder)).toEqual([]);
      },
    );

    it('ends with a build that is killed', async () => {
      let killed = false;
      const outcome = await build(['RUN echo up; sleep 1000'], ['--network=private'], {
        without,
        said: (output) => {
          if (killed || !/\bup$/m.test(output)) return;
          killed = true;
          const [builder] = buildersIn(tsbuild.folder);
          expect(childrenOf(builder!).filter((pid) => wordsOf(pid)[0]!.endsWith(connector))).toHaveLength(1);
          process.kill(Number(builder), 'SIGKILL');
        },
      });
      expect(outcome.code).toBe(137);
      expect(await processesGone(tsbuild.folder)).toEqual([]);
    });

    it('is not needed by steps that say otherwise', async () => {
      const look = 'readlink /proc/self/ns/net';
      const lines = [`RUN --network=none ${look}`, `RUN --network=host echo host $(${look})`];
      const outcome = await build(lines, ['--network=private', '--allow=network.host'], { tun: 'absent' });
      expect(outcome.code, outcome.stderr).toBe(0);
    });

    it('is there for tsbuild run', async () => {
      const words = ['run', '--network=private', '--add-host=gate:host-gateway', base];
      const outcome = await run(
        machine.run(
          tsbuild.commandLine([
            ...words,
            'sh',
            '-c',
            `sleep 1 | timeout 3 nc gate ${machine.port} | head -n 1`,
          ]),
          {
            without,
          },
        ),
        { env: tsbuild.env, cwd: tsbuild.folder },
      );
      expect(outcome).toMatchObject({ code: 0, stdout: 'outside\n' });
    });
  });

  it.each<[string, MachineOptions, RegExp, RegExp]>([
    [
      'no program',
      { without: connectors.filter(has) },
      /needs slirp4netns or pasta/,
      /apt-get install slirp4netns/,
    ],
    [
      'no device',
      { tun: 'absent' },
      /\/dev\/net\/tun, which cannot be opened \(ENOENT\)/,
      /sudo modprobe tun/,
    ],
  ])('says what is missing: %s', async (_, options, message, hint) => {
    const outcome = await build(['RUN true'], ['--network=private'], options);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(message);
    expect(outcome.stderr).toMatch(hint);
  });

  it.skipIf(who === 'root')('says how a device of root is opened', async () => {
    const outcome = await build(['RUN true'], ['--network=private'], { tun: 'closed' });
    expect(outcome.stderr).toMatch(/EACCES[\s\S]*sudo chmod 0666 \/dev\/net\/tun/);
  });

  it('writes name servers and hosts for the step alone', async () => {
    const lines = ['RUN cat /etc/resolv.conf /etc/hosts', 'RUN ip link show lo'];
    const flags = [
      '--dns=192.0.2.53',
      '--dns-search=a.example',
      '--dns-option=ndots:3',
      '--add-host=gate:host-gateway',
    ];
    const dest = join(tsbuild.folder, `out-${readdirSync(tsbuild.folder).length}`);
    const outcome = await build(lines, [...flags, '--network=none', '-o', dest]);
    expect(outcome.code, outcome.stderr).toBe(0);
    for (const line of ['nameserver 192.0.2.53', 'search a.example', 'options ndots:3', '127.0.0.1    gate'])
      expect(outcome.stderr).toContain(` ${line}\n`);
    expect(outcome.stderr).not.toMatch(/ nameserver 127/);
    expect(outcome.stderr).toMatch(/LOOPBACK,UP/);
    expect(readdirSync(join(dest, 'etc')).sort()).toEqual(['group', 'motd', 'passwd']);
  });
});

/** The command's own processes, by the folder that their words name. */
function buildersIn(folder: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    const [, program = '', ...words] = wordsOf(pid);
    return program.endsWith('/dist/cli.js') && words.some((word) => word.startsWith(folder));
  });
}

function childrenOf(pid: string): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
}

function wordsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [''];
  }
}
