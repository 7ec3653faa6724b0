import { BuildError, type ErrorCode } from '../../src/core/errors.ts';
import type { Place } from '../../src/core/place.ts';
import { oneLine } from '../../src/http/redact.ts';
import { runOutside } from '../sandbox/outside.ts';
import { shown } from './git-address.ts';

/** Keys and values of git's configuration. */
export type GitConfig = readonly (readonly [key: string, value: string])[];

export interface GitRunner {
  readonly place: Pick<Place, 'outside'>;
  readonly signal: AbortSignal;
  /** No server may be asked. */
  readonly offline?: boolean;
  /** Socket of the ssh agent that is asked, instead of the person's own. */
  readonly agent?: string;
}

export interface GitCommand {
  readonly args: readonly string[];
  /** The repository of our own that git works in; absent where it only asks a server. */
  readonly gitDir?: string;
  readonly workTree?: string;
  /**
   * The server that is talked to; absent for work on files alone, which the person's own settings do not touch. Its
   * configuration may hold secrets, and goes through the environment, where no other user sees it.
   */
  readonly remote?: { readonly url: string; readonly config: GitConfig };
}

/**
 * What a repository, a server or a setting must not do: run hooks or helpers of the repository, reach files of this
 * machine, ask at the terminal, or wait for a server that sends nothing.
 */
const always: GitConfig = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.logAllRefUpdates', 'false'],
  ['core.protectHFS', 'true'],
  ['core.protectNTFS', 'true'],
  ['protocol.ext.allow', 'never'],
  ['protocol.file.allow', 'never'],
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['pack.threads', '1'],
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '60'],
];

/** Runs git as the person and returns what it wrote. Fails with a BuildError that says what the server or git said. */
export async function git(command: GitCommand, runner: GitRunner): Promise<string> {
  const { args, remote } = command;
  if (remote !== undefined && runner.offline) throw notAsked(remote.url);
  const settings = always.flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const options = ['--literal-pathspecs', '--no-replace-objects', ...settings];
  const { code, stdout, stderr } = await runOutside(runner.place, ['git', ...options, ...args], {
    signal: runner.signal,
    env: { ...environment(command), ...(runner.agent !== undefined && { SSH_AUTH_SOCK: runner.agent }) },
  });
  if (code === 0) return stdout.toString('utf8');
  throw failure({ code, said: stderr.toString('utf8') }, remote?.url);
}

function notAsked(url: string): BuildError {
  return new BuildError('network', `${shown(url)} was not asked: --offline forbids it`, {
    hint: 'Leave --offline away for one build, or name a commit by all its digits: what the cache knows of it counts.',
  });
}

/** The whole surroundings of git's: what a hook that started tsbuild has set would lead it to another repository. */
function environment({ gitDir, workTree, remote }: GitCommand): Record<string, string> {
  return {
    ...(remote === undefined ? withoutSettings : secretSettings(remote.config)),
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'http:https:ssh:git',
    GIT_ALTERNATE_OBJECT_DIRECTORIES: '',
    GIT_DIR: gitDir ?? '/dev/null',
    ...(gitDir !== undefined && {
      GIT_OBJECT_DIRECTORY: `${gitDir}/objects`,
      GIT_INDEX_FILE: `${gitDir}/index`,
      GIT_WORK_TREE: workTree ?? '/dev/null',
    }),
  };
}

/** Versions before 2.32 know no other way than to have no home. */
const withoutSettings = {
  HOME: '/dev/null',
  XDG_CONFIG_HOME: '/dev/null',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

/** The variable in which git hands `-c` to its own children: every version reads it, and those before 2.31 no other. */
function secretSettings(config: GitConfig): Record<string, string> {
  if (config.length === 0) return {};
  const quoted = config.map(([key, value]) => `'${`${key}=${value}`.replace(/'/g, "'\\''")}'`);
  const own = process.env.GIT_CONFIG_PARAMETERS;
  return { GIT_CONFIG_PARAMETERS: [...(own ? [own] : []), ...quoted].join(' ') };
}

interface Failed {
  readonly code: number;
  readonly said: string;
}

function failure({ code, said }: Failed, url: string | undefined): BuildError {
  if (code === 127) {
    return new BuildError('context', 'the program "git" is not installed, and a git repository is needed', {
      hint: 'Install git, or name the files as a folder or a tar.',
    });
  }
  const where = url === undefined ? 'git' : shown(url);
  const known = meanings.find(({ pattern }) => pattern.test(said));
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const cause = oneLine(lastWords(lines), 300);
  // Of ssh, git repeats nothing: its own lines say whether it was the host, the key or the port.
  const reasons = lines.filter((line) => known?.pattern.test(line)).slice(-3);
  const log = [...reasons.map((line) => oneLine(line, 300)), cause].filter((line) => line !== '');
  const { kind = 'context', what = `failed: ${cause || `exit code ${code}`}`, hint, retry } = known ?? {};
  return new BuildError(kind, `${where} ${what}`, {
    ...(hint !== undefined && { hint }),
    ...(retry !== undefined && { retry }),
    ...(known !== undefined && { log: [...new Set(log)] }),
  });
}

interface Meaning {
  readonly pattern: RegExp;
  readonly kind: ErrorCode;
  readonly what: string;
  readonly hint?: string;
  readonly retry?: boolean;
}

const login =
  'Give a token with --secret id=GIT_AUTH_TOKEN,env=TOKEN, or let your own git log in: a credential helper, an ssh key.';

const meanings: readonly Meaning[] = [
  {
    pattern: /could not read Username|Authentication failed|HTTP (?:Basic|401|403)|returned error: 40[13]/i,
    kind: 'denied',
    what: 'does not let us in: it asks for a login',
    hint: login,
  },
  {
    pattern: /Permission denied \(|Host key verification failed|Load key /i,
    kind: 'denied',
    what: 'does not let us in over ssh',
    hint: 'Check with "ssh -T" that your key is accepted and the host is known; an agent in SSH_AUTH_SOCK is used.',
  },
  {
    pattern:
      /repository .* not found|does not appear to be a git repository|returned error: 404|not exported/i,
    kind: 'not-found',
    what: 'is not a git repository that can be read',
    hint: `Check the address. ${login}`,
  },
  {
    pattern: /Could not resolve host|Name or service not known|Temporary failure in name resolution/i,
    kind: 'network',
    what: 'cannot be reached: its host name is not known',
    hint: 'Check the name, the network and the DNS server.',
  },
  {
    pattern: /transport '.*' not allowed/i,
    kind: 'context',
    what: 'leads to an address that git must not follow',
    hint: 'Repositories are reached over https, http, ssh and git.',
  },
  {
    pattern: /returned error: 30\d|unable to update url base from redirection/i,
    kind: 'denied',
    what: 'redirects elsewhere, where the secret for it must not go',
    hint: 'Name the address that it leads to.',
  },
  {
    pattern:
      /Connection (?:refused|reset|timed out)|Failed to connect|unable to connect|Operation too slow|timed out|early EOF|hung up unexpectedly|unexpected disconnect|RPC failed|returned error: (?:429|5\d\d)|Network is unreachable/i,
    kind: 'network',
    what: 'cannot be reached',
    hint: 'Check the address and the network; proxies are read from HTTPS_PROXY and your git settings.',
    retry: true,
  },
];

/** The line in which git gives up; what comes before is a server's talk. */
function lastWords(lines: readonly string[]): string {
  return lines.findLast((line) => /^(?:fatal|error|remote):/.test(line)) ?? lines.at(-1) ?? '';
}
