/** What a CI system understands between the lines of a log. */
export interface Marks {
  /** Begins a part of the log that the system folds; `section` is unique and of letters, digits, `_`. */
  open(section: string, title: string): string;
  /** Ends that part. */
  close(section: string): string;
  /** Text of others, of one line or several, that is to be read as nothing but text. */
  fit(text: string): string;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The marks of the system that the environment names, or undefined. `nowMs` is the time since 1970. */
export function marksOf(env: Env, nowMs: () => number): Marks | undefined {
  if (isGitHub(env)) return github;
  return env.GITLAB_CI === 'true' ? gitlab(nowMs) : undefined;
}

/** Whether GitHub Actions reads along, and takes annotations. */
export function isGitHub(env: Env): boolean {
  return env.GITHUB_ACTIONS === 'true';
}

/** Text of others, of one line or several, as it is to be written where `env` may name a system that reads along. */
export function asText(text: string, env: Env): string {
  return isGitHub(env) ? withoutCommands(text) : text;
}

const github: Marks = {
  open: (_, title) => `::group::${title}\n`,
  close: () => '::endgroup::\n',
  fit: withoutCommands,
};

/**
 * Whoever writes to the log of GitHub Actions gives orders: a line that begins with `::name` is one, and so is `##[name]`
 * anywhere in a line.
 */
function withoutCommands(text: string): string {
  return text.replaceAll('##[', '# #[').replaceAll(/^(\s*):(?=:)/gm, '$1: ');
}

/** A mark of GitLab is made of controls, which never pass into what is printed. */
function gitlab(nowMs: () => number): Marks {
  const clear = '\x1b[0K';
  const mark = (kind: string, section: string): string =>
    `${clear}section_${kind}:${Math.floor(nowMs() / 1000)}:${section}`;
  return {
    open: (section, title) => `${mark('start', section)}[collapsed=true]\r${clear}${title}\n`,
    close: (section) => `${mark('end', section)}\r${clear}\n`,
    fit: (text) => text,
  };
}
