/** A command that installs what a project depends on, or packages of the system. */
export interface Install {
  /** The command as it is written. */
  readonly command: string;
  /** Names of the files that say what is installed; absent for packages that the command itself names. */
  readonly manifests?: readonly RegExp[];
}

interface Known {
  readonly command: RegExp;
  readonly manifests?: readonly RegExp[];
}

const NODE = [
  /^package\.json$/,
  /^package-lock\.json$/,
  /^npm-shrinkwrap\.json$/,
  /^yarn\.lock$/,
  /^pnpm-lock\.yaml$/,
  /^bun\.lockb?$/,
];
const PYTHON = [
  /^requirements[\w.-]*\.txt$/,
  /^pyproject\.toml$/,
  /^poetry\.lock$/,
  /^uv\.lock$/,
  /^Pipfile(\.lock)?$/,
  /^setup\.(py|cfg)$/,
];

const KNOWN: readonly Known[] = [
  {
    command:
      /\b(?:npm (?:ci|i|install)|pnpm (?:i|install)|bun install|yarn install|yarn(?= *(?:$|&&|;|\n|--)))/,
    manifests: NODE,
  },
  {
    command: /\b(?:pip3? install (?:.* )?-r|poetry install|uv sync|pipenv (?:install|sync))/,
    manifests: PYTHON,
  },
  { command: /\bbundle install/, manifests: [/^Gemfile(\.lock)?$/] },
  { command: /\bgo mod download/, manifests: [/^go\.(mod|sum)$/] },
  { command: /\bcargo fetch/, manifests: [/^Cargo\.(toml|lock)$/] },
  { command: /\bcomposer install/, manifests: [/^composer\.(json|lock)$/] },
  { command: /\bmvnw? (?:.* )?dependency:/, manifests: [/^pom\.xml$/] },
  { command: /\bdotnet restore/, manifests: [/\.(cs|fs|vb)proj$/, /\.sln$/, /^packages\.lock\.json$/] },
  { command: /\bmix deps\.get/, manifests: [/^mix\.(exs|lock)$/] },
  { command: /\b(?:apt-get|apt|dnf|microdnf|yum|zypper) (?:-\S+ )*install|\bapk add/ },
];

/** The install command among the words of a RUN; undefined where there is none. */
export function installOf(words: string): Install | undefined {
  for (const { command, manifests } of KNOWN) {
    const found = command.exec(words)?.[0];
    if (found !== undefined) return { command: found, ...(manifests && { manifests }) };
  }
  return undefined;
}
