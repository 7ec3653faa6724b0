import { type Command, Option } from 'commander';
import { type AttestFlags, signFlag } from './attest-flags.ts';
import {
  addAll,
  addCommon,
  addRegistry,
  type CommonFlags,
  flag,
  isolationFlag,
  list,
  type RegistryFlags,
} from './flags.ts';
import { type ProcessFlags, processFlags } from './process-options.ts';

/** The flags of build as commander hands them over: nothing is interpreted yet. */
export interface BuildFlags extends CommonFlags, RegistryFlags, ProcessFlags, AttestFlags {
  readonly file?: string;
  readonly target?: string;
  readonly buildArg?: readonly string[];
  readonly buildArgFile?: readonly string[];
  readonly ignorefile?: string;
  readonly platform?: readonly string[];
  readonly buildContext?: readonly string[];
  readonly enable?: readonly string[];
  readonly ssh?: readonly string[];
  readonly allow?: readonly string[];
  readonly label?: readonly string[];
  readonly annotation?: readonly string[];
  readonly tag?: readonly string[];
  readonly destination?: readonly string[];
  readonly iidfile?: string;
  readonly metadataFile?: string;
  readonly quiet?: boolean;
  readonly output?: readonly string[];
  readonly push?: boolean;
  readonly load?: boolean;
  readonly format?: string;
  /** False with `--no-cache`. */
  readonly cache: boolean;
  /** Stages of `--no-cache-filter`; true without it (commander's default for a flag that begins with `--no-`). */
  readonly cacheFilter: readonly string[] | true;
  readonly cacheFrom?: readonly string[];
  readonly cacheTo?: readonly string[];
  readonly cacheMaxAge?: string;
  readonly pull?: string;
  readonly lock?: string;
  readonly frozen?: string;
  readonly runtime?: string;
  readonly secret?: readonly string[];
  readonly jobs?: string;
  readonly sourceDateEpoch?: string;
  readonly progress?: string;
  readonly call?: string;
  readonly check?: boolean;
  readonly explain?: boolean;
  readonly eventsFd?: string;
  readonly [ignored: string]: unknown;
}

export function defineBuildFlags(command: Command): Command {
  addAll(command, 'Input:', [
    flag('-f, --file <file>', 'a path, a URL, or - for stdin (default: Containerfile, then Dockerfile)'),
    flag('--target <stage>', 'build this stage, and what it needs'),
    list('--build-arg <name[=value]>', 'a value for an ARG; without one, from the environment'),
    list('--build-arg-file <file>', 'values for ARGs, a line each'),
    list(
      '--build-context <name=where>',
      'what FROM or --from means by a name: a folder, a URL, docker-image://NAME or oci-layout://FOLDER',
    ),
    flag('--ignorefile <file>', 'use this instead of .containerignore or .dockerignore'),
    list('--platform <os/arch>', 'build for this platform (several with commas)'),
    list('--label <name=value>', 'add a label to the image'),
    list('--annotation <name=value>', 'annotate the manifest; index:NAME=VALUE the index'),
    list(
      '--enable <extension>',
      'more than the language has: errexit-heredocs, include, optional-copy, reset',
    ),
  ]);
  addAll(command, 'Names:', [
    list('-t, --tag <name>', 'name the image (may be repeated)'),
    list('-d, --destination <name>', 'name the image, and push it'),
    flag('--iidfile <file>', 'write the image id to a file'),
    flag('--metadata-file <file>', 'write what was built to a file, as JSON'),
    flag('-q, --quiet', 'print nothing but the image id'),
  ]);
  addAll(command, 'Output:', [
    list('-o, --output <where>', 'DIR, - or type=oci|docker|local|tar|registry,dest=…'),
    flag('--push', 'push the image under its names'),
    flag('--no-push', '').hideHelp(),
    flag('--load', 'load the image into docker or podman'),
    flag('--format <kind>', 'oci (default) or docker'),
  ]);
  addAll(command, 'Cache:', [
    flag('--no-cache', 'make every step again'),
    list('--no-cache-filter <stage>', 'make the steps of this stage again'),
    list('--cache-from <where>', 'use what others made: NAME, or type=registry|local|s3|gha,…'),
    list(
      '--cache-to <where>',
      'share what was made: NAME, or type=registry|local|inline|s3|gha, with mode=min|max,…',
    ),
    flag('--cache-max-age <time>', 'use nothing of --cache-from that was made longer ago'),
    flag('--pull [when]', 'always, missing (default), never or newer; alone it is always').preset('always'),
    flag('--offline', 'ask no registry and no server; steps themselves: --network none'),
    flag('--lock [file]', 'keep what names mean now in a lock file (default: Containerfile.lock)').preset(''),
    flag('--frozen [file]', 'names mean what the lock file says; fail where it says nothing').preset(''),
    flag('--explain', 'tell why each step that ran was not in the cache'),
  ]);
  addAll(command, 'Run:', [
    isolationFlag(),
    flag('--runtime <name>', 'the engine: builtin (default), crun, runc or a path'),
    ...processFlags(),
    list('--secret <id=…>', 'id=NAME,src=FILE or id=NAME,env=VARIABLE'),
    list('--ssh <id[=where]>', 'default, or an agent socket or keys for RUN --mount=type=ssh'),
    list('--allow <what>', 'let steps have network.host or security.insecure'),
    flag('--jobs <count>', 'how many steps may work at once'),
  ]);
  addRegistry(command);
  addAll(command, 'Reproducible:', [
    flag('--source-date-epoch <time>', 'seconds since 1970: no file of ours is newer'),
  ]);
  addAll(command, 'Attest:', [
    flag('--provenance [what]', 'say beside the image how it was built: min (default) or max').preset('true'),
    flag('--sbom [formats]', 'say beside the image what packages it holds: spdx (default), cyclonedx').preset(
      'true',
    ),
    signFlag(),
    list('--attest <type=…>', 'the same: type=provenance,mode=max').hideHelp(),
  ]);
  addAll(command, 'See:', [
    flag(
      '--progress <mode>',
      'auto, tty, plain, rawjson, quiet or none (default: $BUILDKIT_PROGRESS, or auto)',
    ),
    flag('--check', 'tell what is wrong or doubtful in the file; build nothing'),
    flag('--call <what>', 'build (default), check, outline or targets[,format=json]'),
    new Option('--events-fd <number>').hideHelp(),
  ]);
  addIgnored(command);
  return addCommon(command);
}

/** Flags that other builders need and that change nothing here: taken, said once, without effect. */
export const ignoredFlags = [
  ...['--rm [bool]', '--force-rm [bool]', '--compress [bool]', '--layers [bool]', '--cleanup [bool]'],
  ...['--use-new-run [bool]', '--single-snapshot [bool]', '--skip-unused-stages [bool]'],
  ...['--disable-content-trust [bool]', '--builder <name>', '--snapshot-mode <mode>', '--verbosity <level>'],
];

function addIgnored(command: Command): void {
  for (const words of ignoredFlags) command.addOption(new Option(words).hideHelp());
}

/** What may stand for CONTEXT. */
export const buildContexts = `
CONTEXT is a folder, the URL of a git repository (repo.git#REF:FOLDER) or of a
tar, or - for a tar or a Containerfile on stdin.
`;

export const buildExamples = `
Examples:
  tsbuild -t myapp .                        build ./Containerfile, name it myapp
  tsbuild -t ghcr.io/me/app:1 --push .      build and push
  tsbuild -o type=oci,dest=app.tar .        build into an archive
  tsbuild -o out --target dist .            copy the files of a stage to ./out
  tsbuild --check .                         look for mistakes, build nothing
  tsbuild --build-arg VERSION=1.2 --secret id=token,env=TOKEN .
`;
