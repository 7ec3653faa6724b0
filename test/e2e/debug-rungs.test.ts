import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { skip } from '../support/skips.ts';
import { openTerminal } from '../support/terminal.ts';
import { loadBases, newTsbuild } from '../support/tsbuild.ts';

const base = 'localhost/tsbuild-test/busybox:1';
const needs = { root: true, programs: ['skopeo', 'busybox', 'python3'] };

/** Owners that the step gives, and others that somebody gives in the shell. */
const containerfile = `FROM ${base}
RUN mkdir /d && touch /d/f && chown 7:8 /d/f && ln -s f /d/l && chown -h 9:9 /d/l && rm /etc/motd && false
`;
const asLeft = ['/d/f 7:8', '/d/l 9:9', 'gone'];
const look = 'stat -c "%n %u:%g" /d/*; test -e /etc/motd || echo gone';

/** What a rung or an engine is asked for by. */
const ways: readonly (readonly [name: string, flags: readonly string[]])[] = [
  ['single', ['--isolation=single']],
  ['chroot', ['--isolation=chroot']],
  ['crun', ['--runtime=crun']],
];

describe.skipIf(skip('shells on other rungs', needs)).each(ways)('a shell in a step: %s', (name, flags) => {
  it.skipIf(skip(name, { programs: name === 'crun' ? ['crun'] : [] }))(
    'shows owners as they are, and keeps them when the build goes on',
    async () => {
      await using tsbuild = await newTsbuild('root');
      await loadBases(tsbuild, [await busyboxBase()]);
      mkdirSync(join(tsbuild.folder, 'app'));
      writeFileSync(join(tsbuild.folder, 'app/Containerfile'), containerfile);
      const args = ['build', ...flags, '--debug-shell', '-t', 'by/hand', 'app'];
      const at = { cwd: tsbuild.folder, env: tsbuild.env };
      await using terminal = openTerminal(tsbuild.commandLine(args), at);
      await terminal.sees('(debug) ');
      terminal.type(`${look}\n`);
      // Where the shell has no terminal of its own, its prompt may come before what it shows.
      for (const line of asLeft) await terminal.sees(`${line}\r\n`);
      terminal.type('touch /d/n; chown 5:5 /d/n /d/f; exit\n');
      await terminal.sees('[s]hell? ');
      terminal.type('s\n');
      await terminal.sees('(debug) ');
      terminal.type('chown -h 3:3 /d/l; continue\n');
      expect(await terminal.ended()).toBe(0);
      const rung = flags.filter((flag) => flag.startsWith('--isolation'));
      const made = await tsbuild.run(['run', ...rung, 'by/hand', 'sh', '-c', look]);
      expect(made.stdout.split('\n').filter(Boolean)).toEqual(['/d/f 5:5', '/d/l 3:3', '/d/n 5:5', 'gone']);
    },
  );

  it.skipIf(skip(name, { programs: name === 'crun' ? ['crun'] : [] }))(
    'opens it afterwards on the same rung, and not on another one before',
    async () => {
      await using tsbuild = await newTsbuild('root');
      await loadBases(tsbuild, [await busyboxBase()]);
      mkdirSync(join(tsbuild.folder, 'app'));
      writeFileSync(join(tsbuild.folder, 'app/Containerfile'), containerfile);
      expect((await tsbuild.run(['build', ...flags, 'app'])).code).toBe(1);
      const rung = flags.filter((flag) => flag.startsWith('--isolation'));
      if (name === 'single') {
        const elsewhere = await tsbuild.run(['debug', '-c', look]);
        expect(elsewhere.stderr).toContain('Add --isolation single');
      }
      const { stdout } = await tsbuild.run(['debug', ...rung, '-c', look]);
      expect(stdout.split('\n').filter(Boolean)).toEqual(asLeft);
    },
  );
});
