import type { BakeFile, Definition, RepositoryFolder, Selection } from '../commands/bake.ts';
import { usageError } from '../core/errors.ts';
import type { EventBody } from '../core/events.ts';
import { checkPaths, parseAllowed } from './bake-paths.ts';
import { type GroupFlags, runTargets } from './bake-run.ts';
import type { WrittenOptions } from './build-options.ts';
import { callOf } from './call.ts';
import { Failure } from './failure.ts';
import { addAll, addCommon, addRegistry, flag, isolationFlag, list } from './flags.ts';
import type { Host } from './host.ts';
import type { CommandSpec } from './spec.ts';
import { progressFlags, still } from './surround.ts';
import { parsePairs } from './values.ts';

interface BakeFlags extends GroupFlags {
  readonly file?: readonly string[];
  readonly set?: readonly string[];
  readonly var?: readonly string[];
  readonly print?: boolean;
  readonly list?: string;
  readonly push?: boolean;
  readonly load?: boolean;
  /** False with `--no-cache`. */
  readonly cache: boolean;
  readonly pull?: boolean;
  readonly provenance?: string;
  readonly sbom?: string;
  readonly allow?: readonly string[];
}

/** `bake`: what a file says of several images is built at the same time. */
export const bake: CommandSpec = {
  name: 'bake',
  summary: 'build the targets of a bake or Compose file',
  define: (command) => {
    addAll(command.usage('[flags] [REPOSITORY] [TARGET…]').argument('[target...]'), 'Input:', [
      list('-f, --file <file>', 'read this file; - for stdin (default: docker-bake.hcl, compose.yaml, …)'),
      list(
        '--set <target.attribute=value>',
        'change a target: *.platform=linux/arm64, app.args.V=1, app.tags+=x',
      ),
      list('--var <name=value>', 'set a variable of the file'),
    ]);
    addAll(command, 'Output:', [
      flag('--print', 'print what would be built, as JSON; build nothing'),
      flag('--list <what>', 'list targets or variables[,format=json]; build nothing'),
      flag('--push', 'push the images'),
      flag('--load', 'load the images into docker or podman'),
      flag('--metadata-file <file>', 'write what was built to a file, as JSON, by target'),
      flag('--provenance [what]', 'say beside the images how they were built').preset('true'),
      flag('--sbom [formats]', 'say beside the images what packages they hold').preset('true'),
    ]);
    addAll(command, 'Cache:', [
      flag('--no-cache', 'make every step again'),
      flag('--pull', 'ask registries for newer base images'),
    ]);
    addAll(command, 'Run:', [
      list('--allow <what>', 'let targets have security.insecure, or fs.read=PATH outside of this folder'),
      isolationFlag(),
      flag('--runtime <name>', 'the engine: builtin (default), crun, runc or a path'),
      flag('--jobs <count>', 'how many steps may work at once'),
    ]);
    addAll(command, 'See:', [
      ...progressFlags(),
      flag('--check', 'tell what is wrong or doubtful in the files; build nothing'),
      flag('--call <what>', 'build (default), check, outline or targets[,format=json]'),
      flag('--builder <name>', '').hideHelp(),
    ]);
    return addCommon(addRegistry(command)).addHelpText('after', targets);
  },
  run: async (command, host) => {
    const flags = command.opts<BakeFlags>();
    const files: BakeFile[] = [];
    try {
      return await run(flags, command.args, { host, files });
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Failure(error, { read: (name) => files.find((file) => file.name === name)?.text });
    }
  },
};

const targets = `
TARGET is a target or a group, with * where wanted; without one it is "default".
Before it may stand a git repository that holds the files.`;

interface Around {
  readonly host: Host;
  readonly files: BakeFile[];
}

async function run(flags: BakeFlags, words: readonly string[], around: Around): Promise<number> {
  const { host, files } = around;
  const notes: EventBody[] = [];
  const { inRepository, printed, select } = await import('../commands/bake.ts');
  const { definition, names, folder } = await read(flags, words, { ...around, notes });
  if (flags.list !== undefined) return await tellList(flags.list, definition, host);
  const set = [...shorthands(flags), ...(flags.set ?? [])];
  const wanted = names.length > 0 ? names : ['default'];
  const written: Selection = select(definition, { names: wanted, set, env: host.env });
  if (flags.print) {
    host.write(1, `${JSON.stringify(printed(written), null, 2)}\n`);
    return 0;
  }
  const selection = folder === undefined ? written : inRepository(written, folder);
  const allowed = parseAllowed(flags.allow ?? []);
  const { cwd, env } = host;
  const near = {
    cwd,
    allowed,
    set: flags.set ?? [],
    isForeign: folder !== undefined,
    agent: env.SSH_AUTH_SOCK,
  };
  return await runTargets(selection, {
    ...{ flags, host, files, notes, allow: allowed.entitlements },
    ...(callOf(flags) === undefined && {
      check: (name: string, options: WrittenOptions) => checkPaths(name, options, near),
    }),
  });
}

interface Read {
  readonly definition: Definition;
  /** What is asked of it. */
  readonly names: readonly string[];
  /** The folder of a repository that it was read from. */
  readonly folder?: RepositoryFolder;
}

/** The first word may be a git repository: then the files are those of it. */
async function read(
  flags: BakeFlags,
  words: readonly string[],
  { host, files, notes }: Around & { readonly notes: EventBody[] },
): Promise<Read> {
  const { localFiles, readBake } = await import('../commands/bake.ts');
  const { repositoryIn, withRepository } = await import('../commands/bake-remote.ts');
  const request = {
    files: flags.file ?? [],
    variables: parsePairs('--var', flags.var ?? [], (name) => host.env[name]),
    cwd: host.cwd,
    env: lookupsOf(host),
    warn: (text: string) => void notes.push({ type: 'note', level: 'warning', text }),
    onFile: (file: BakeFile) => void files.push(file),
  };
  const [first = '', ...names] = words;
  const address = repositoryIn(first);
  if (address === undefined && /^https?:/.test(first))
    throw usageError(`${first} is no git repository`, 'The address of one ends in .git.');
  if (address === undefined) return { definition: await readBake(request), names: words };
  return await withRepository(address, still(flags, host), async ({ folder, has, read }) => {
    const local = localFiles(host.cwd);
    const from = {
      has,
      read: (path: string) => (path.startsWith('cwd://') ? local.read(path) : read(path)),
    };
    return { definition: await readBake({ ...request, from, named: { has, read } }), names, folder };
  });
}

/** Docker's own switch keeps variables of the environment away from files. */
function lookupsOf({ env }: Host): Host['env'] {
  const { BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP: disabled = '' } = env;
  return /^(1|t|true)$/i.test(disabled) ? {} : env;
}

/** Flags that stand for a change of every target. */
function shorthands(flags: BakeFlags): readonly string[] {
  const attest = (type: string, value: string): string =>
    value === 'true' ? `*.attest=type=${type}` : `*.attest=type=${type},${attestFields(type, value)}`;
  return [
    ...(flags.push ? ['*.push=true'] : []),
    ...(flags.load ? ['*.load=true'] : []),
    ...(flags.cache ? [] : ['*.no-cache=true']),
    ...(flags.pull ? ['*.pull=true'] : []),
    ...(flags.provenance === undefined ? [] : [attest('provenance', flags.provenance)]),
    ...(flags.sbom === undefined ? [] : [attest('sbom', flags.sbom)]),
  ];
}

function attestFields(type: string, value: string): string {
  if (value === 'false') return 'disabled=true';
  return type === 'provenance' && (value === 'min' || value === 'max') ? `mode=${value}` : value;
}

async function tellList(written: string, definition: Definition, host: Host): Promise<number> {
  const [first = '', ...options] = written.split(',');
  const word = first.replace(/^type=/, '');
  if (word !== 'targets' && word !== 'variables')
    throw usageError(`--list does not know '${word}'`, 'Write --list targets or --list variables.');
  const unknown = options.find((option) => option !== 'format=json' && option !== 'format=table');
  if (unknown !== undefined)
    throw usageError(`--list does not know '${unknown}'`, 'Write format=json there.');
  const { listing, listingJson } = await import('../commands/bake.ts');
  const isJson = options.includes('format=json');
  const text = isJson
    ? `${JSON.stringify(listingJson(definition, word), null, 2)}\n`
    : listing(definition, word);
  host.write(1, text);
  return 0;
}
