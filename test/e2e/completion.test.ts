import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import { temporaryFolder } from '../support/shared.ts';
import { has, skip } from '../support/skips.ts';

/** What stands on the line, and what is offered besides, and never, for its last word. */
const lines: readonly (readonly [line: string, offered: readonly string[], not: readonly string[]])[] = [
  ['tsbuild pu', ['push', 'pull'], ['prune', 'folder/']],
  ['tsbuild --root /x pu', ['push', 'pull'], ['prune']],
  ['tsbuild cache ', ['ls', 'export', 'import'], ['push']],
  ['tsbuild manifest cr', ['create'], ['inspect']],
  ['tsbuild --squ', ['--squash', '--squash-all'], ['--ssh']],
  ['tsbuild build --no-', ['--no-cache', '--no-cache-filter'], ['--network']],
  ['tsbuild images --form', ['--format'], ['--file']],
  ['tsbuild build --network ', ['host', 'none', 'private'], ['--file', 'folder/']],
  ['tsbuild build --progress pl', ['plain'], ['tty']],
  ['tsbuild -t x fol', ['folder/'], ['file']],
  ['tsbuild -f fi', ['file'], []],
  ['tsbuild build --file fi', ['file'], []],
  ['tsbuild run localhost/ts', ['localhost/tsbuild-test/busybox:1'], []],
  ['tsbuild push localhost/tsbuild-test/bu', ['localhost/tsbuild-test/busybox:1'], ['folder/']],
  ['tsbuild help pu', ['push', 'pull'], ['folder/']],
  ['tsbuild completion ', ['bash', 'zsh', 'fish'], ['folder/']],
];

const behindEquals = 'tsbuild build --network=n';
const allLines = [...lines.map(([line]) => line), behindEquals];

/** A shell that is asked what it offers for a line, in this folder. */
type Ask = (line: string) => readonly string[];

describe.skipIf(skip('completion', { programs: ['busybox', 'python3'] }))('completion', () => {
  const folder = temporaryFolder('completion');
  const env = {
    PATH: [join(folder.path, 'bin'), process.env.PATH].join(delimiter),
    HOME: folder.path,
    TSBUILD_ROOT: join(folder.path, 'store'),
    TERM: 'dumb',
  };
  const script = (shell: string): string =>
    execFileSync('tsbuild', ['completion', shell], { env, encoding: 'utf8' });

  beforeAll(async () => {
    mkdirSync(join(folder.path, 'bin'));
    mkdirSync(join(folder.path, 'here/folder'), { recursive: true });
    writeFileSync(join(folder.path, 'here/file'), '');
    const launcher = `#!/bin/sh\nexec ${resolve('bin/tsbuild')} "$@"\n`;
    writeFileSync(join(folder.path, 'bin/tsbuild'), launcher, { mode: 0o755 });
    execFileSync('tsbuild', ['load', '-i', (await busyboxBase()).archive], { env });
    writeFileSync(join(folder.path, 'bash'), script('bash'));
    mkdirSync(join(folder.path, 'functions'));
    writeFileSync(join(folder.path, 'functions/_tsbuild'), script('zsh'));
    writeFileSync(join(folder.path, 'fish'), script('fish'));
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  const cwd = join(folder.path, 'here');
  let ofZsh: ReturnType<typeof zshOffers> | undefined;
  const offers: Readonly<Record<string, Ask>> = {
    bash: (line) => {
      const program = `source ../bash; compopt() { :; }; COMP_LINE=$1 COMP_POINT=\${#1}; _tsbuild
        cut=\${1##*[[:blank:]]}; cut=\${cut%"\${cut##*[=:]}"}; for one in "\${COMPREPLY[@]}"; do
        [[ -d $one ]] && one+=/; printf '%s\\n' "$cut$one"; done`;
      const ran = spawnSync('bash', ['--norc', '-uc', program, 'bash', line], { cwd, env, encoding: 'utf8' });
      expect(ran.stderr).toBe('');
      return ran.stdout.split('\n');
    },
    fish: (line) => {
      const program = `source ../fish; complete -C ${JSON.stringify(line)}`;
      const ran = spawnSync('fish', ['--no-config', '-c', program], { cwd, env, encoding: 'utf8' });
      expect(ran.stderr).toBe('');
      return ran.stdout.split('\n').map((offer) => offer.split('\t')[0]!);
    },
    zsh: (line) => {
      ofZsh ??= zshOffers(allLines, { cwd, env, functions: join(folder.path, 'functions') });
      return ofZsh.get(line) ?? [];
    },
  };

  describe.each(Object.keys(offers))('of %s', (shell) => {
    it.skipIf(skip(`completion of ${shell}`, { programs: [shell] })).each(lines)(
      '%s',
      (line, offered, not) => {
        const found = offers[shell]!(line);
        expect(found).toEqual(expect.arrayContaining([...offered]));
        for (const other of not) expect(found).not.toContain(other);
      },
    );

    it.skipIf(!has(shell))('knows the words of a value behind =', () => {
      const found = offers[shell]!(behindEquals).map((offer) => offer.replace(/^.*=/, ''));
      expect(found).toContain('none');
      expect(found).not.toContain('host');
    });
  });
});

/** Types each line into a real zsh, at a terminal of its own, and asks for a list; by line. */
function zshOffers(
  asked: readonly string[],
  { cwd, env, functions }: { readonly cwd: string; readonly env: object; readonly functions: string },
): ReadonlyMap<string, readonly string[]> {
  const offersFile = join(cwd, '../offers');
  const program = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PROMPT= ; bindkey -e; fpath=(${functions} $fpath); autoload -Uz compinit; compinit -D -u -i'
zpty -w shell 'zstyle ":completion:*" menu no; LISTMAX=1000; setopt mark_dirs'
zpty -w shell 'compadd() { if [[ $* == *-O* || $* == *-A* || $* == *-D* ]]; then builtin compadd "$@"; return; fi
  local -a found; builtin compadd -O found "$@"; local one
  for one in $found; do [[ -d $one ]] && one+=/; print -r -- "$IPREFIX$one" >>$OFFERS; done
  builtin compadd "$@"; }'
for line; do
  rm -f $OFFERS.next
  zpty -w shell 'print -r -- "LINE '"$line"'" >>$OFFERS'
  zpty -n -w shell $line$'\t'
  zpty -n -w shell $'\\C-a\\C-k'
  zpty -w shell 'print >$OFFERS.next'
  until [[ -e $OFFERS.next ]]; do zpty -r -t shell seen; sleep 0.02; done
done
cat $OFFERS`;
  const { stdout } = spawnSync('zsh', ['-f', '-c', program, 'zsh', ...asked], {
    cwd,
    env: { ...env, OFFERS: offersFile } as NodeJS.ProcessEnv,
    encoding: 'utf8',
    timeout: 60_000,
  });
  const parts = stdout.split(/^LINE /m).slice(1);
  return new Map(parts.map((part) => [part.split('\n')[0]!, part.split('\n').slice(1)]));
}
