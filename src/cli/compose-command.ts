import type { BakeFile } from '../commands/bake.ts';
import type { EventBody } from '../core/events.ts';
import { parseAllowed } from './bake-paths.ts';
import { type GroupFlags, runTargets } from './bake-run.ts';
import { Failure } from './failure.ts';
import { addAll, addCommon, addRegistry, flag, isolationFlag, list } from './flags.ts';
import type { Host } from './host.ts';
import type { CommandSpec } from './spec.ts';
import { progressFlags } from './surround.ts';

interface ComposeFlags extends GroupFlags {
  readonly file?: readonly string[];
  readonly projectName?: string;
  readonly projectDirectory?: string;
  readonly profile?: readonly string[];
  readonly envFile?: readonly string[];
  readonly buildArg?: readonly string[];
  /** False with `--no-cache`. */
  readonly cache: boolean;
  readonly pull?: boolean;
  readonly push?: boolean;
  readonly ssh?: readonly string[];
  readonly withDependencies?: boolean;
  readonly print?: boolean;
  readonly provenance?: string;
  readonly sbom?: string;
  readonly allow?: readonly string[];
}

/** `compose build`: the services of a project, named as `docker compose` names them. */
export const composeBuild: CommandSpec = {
  name: 'compose build',
  summary: 'build the services of a Compose project',
  define: (command) => {
    addAll(command.usage('[flags] [SERVICE…]').argument('[service...]'), 'Project:', [
      list(
        '-f, --file <file>',
        'read this file; several are laid over each other (default: compose.yaml, …)',
      ),
      flag('-p, --project-name <name>', 'the first part of names of images (default: that of the folder)'),
      flag('--project-directory <folder>', 'where paths start from (default: the folder of the first file)'),
      list('--profile <name>', 'build services of this profile, too'),
      list('--env-file <file>', 'values for variables (default: .env)'),
    ]);
    addAll(command, 'Build:', [
      list('--build-arg <name[=value]>', 'a value for an ARG of every service'),
      flag('--no-cache', 'make every step again'),
      flag('--pull', 'ask registries for newer base images'),
      flag('--push', 'push the images of services that name theirs'),
      flag('--with-dependencies', 'build also what the named services depend on'),
      list('--ssh <id[=where]>', 'default, or an agent socket or keys for RUN --mount=type=ssh'),
      flag('-m, --memory <size>', 'how much memory each step may use'),
      flag('--provenance [what]', 'say beside the images how they were built').preset('true'),
      flag('--sbom [formats]', 'say beside the images what packages they hold').preset('true'),
      flag('--metadata-file <file>', 'write what was built to a file, as JSON, by service'),
      list('--allow <what>', 'let services have security.insecure'),
      isolationFlag(),
      flag('--runtime <name>', 'the engine: builtin (default), crun, runc or a path'),
      flag('--jobs <count>', 'how many steps may work at once'),
    ]);
    addAll(command, 'See:', [
      ...progressFlags(),
      flag('-q, --quiet', 'print no progress'),
      flag('--print', 'print what would be built as a bake file; build nothing'),
      flag('--check', 'tell what is wrong or doubtful in the files; build nothing'),
      flag('--builder <name>', '').hideHelp(),
    ]);
    return addCommon(addRegistry(command));
  },
  run: async (command, host) => {
    const files: BakeFile[] = [];
    try {
      return await run(command.opts<ComposeFlags>(), command.args, { host, files });
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure(error, { read: (name) => files.find((file) => file.name === name)?.text });
    }
  },
};

interface Around {
  readonly host: Host;
  readonly files: BakeFile[];
}

async function run(flags: ComposeFlags, words: readonly string[], { host, files }: Around): Promise<number> {
  const notes: EventBody[] = [];
  const { planCompose } = await import('../commands/compose.ts');
  const { printed, select } = await import('../commands/bake.ts');
  const { projectName, projectDirectory, envFile: envFiles } = flags;
  const { definition, folder, named } = await planCompose({
    files: flags.file ?? [],
    profiles: flags.profile ?? [],
    services: words,
    withDependencies: flags.withDependencies ?? false,
    cwd: host.cwd,
    env: host.env,
    warn: (text) => void notes.push({ type: 'note', level: 'warning', text }),
    onFile: (file) => void files.push(file),
    ...(projectName !== undefined && { projectName }),
    ...(projectDirectory !== undefined && { projectDirectory }),
    ...(envFiles !== undefined && { envFiles }),
  });
  const wanted = definition.groups.get('default')?.targets ?? [];
  if (wanted.length === 0) {
    host.write(2, 'no service is to be built\n');
    return 0;
  }
  const set = [
    ...changes(flags, '*'),
    ...(flags.push ? wanted.filter((name) => named.has(name)) : []).map(pushed),
  ];
  const selection = select(definition, { names: ['default'], set, env: host.env });
  if (flags.print) {
    host.write(1, `${JSON.stringify(printed(selection), null, 2)}\n`);
    return 0;
  }
  const here = { ...host, cwd: folder };
  const { entitlements } = parseAllowed(flags.allow ?? []);
  return await runTargets(selection, { flags, host: here, files, notes, allow: entitlements });
}

function pushed(name: string): string {
  return `${name}.push=true`;
}

/** What flags say for every service. */
function changes(flags: ComposeFlags, target: string): readonly string[] {
  return [
    ...(flags.buildArg ?? []).map((text) => `${target}.args.${text}`),
    ...(flags.ssh ?? []).map((text) => `${target}.ssh+=${text}`),
    ...(flags.cache ? [] : [`${target}.no-cache=true`]),
    ...(flags.pull ? [`${target}.pull=true`] : []),
    ...(flags.provenance === undefined
      ? []
      : [`${target}.attest=type=provenance${attestTail(flags.provenance)}`]),
    ...(flags.sbom === undefined ? [] : [`${target}.attest=type=sbom${attestTail(flags.sbom)}`]),
  ];
}

function attestTail(value: string): string {
  if (value === 'true') return '';
  if (value === 'false') return ',disabled=true';
  return value === 'min' || value === 'max' ? `,mode=${value}` : `,${value}`;
}
