import { type Command, Option } from 'commander';
import { type AttestFlags, signFlag } from './attest-flags.ts';
import {
  addAll,
  addCommon,
  addRegistry,
  type CommonFlags,
  choice,
  flag,
  isolationFlag,
  list,
  type RegistryFlags,
  runtimeFlag,
  withChoices,
} from './flags.ts';
import type { PlatformFlags } from './platforms.ts';
import { type ProcessFlags, processFlags } from './process-options.ts';
import { progressFlags } from './surround.ts';
import type { TimeFlags } from './times.ts';

/** The flags of build as commander hands them over: nothing is interpreted yet. */
export interface BuildFlags
  extends CommonFlags,
    RegistryFlags,
    ProcessFlags,
    AttestFlags,
    PlatformFlags,
    TimeFlags {
  readonly file?: string;
  readonly target?: string;
  readonly buildArg?: readonly string[];
  readonly buildArgFile?: readonly string[];
  readonly ignorefile?: string;
  readonly from?: string;
  readonly env?: readonly string[];
  readonly unsetenv?: readonly string[];
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
  readonly digestFile?: string;
  readonly imageNameWithDigestFile?: string;
  readonly imageNameTagWithDigestFile?: string;
  readonly quiet?: boolean;
  readonly output?: readonly string[];
  readonly push?: boolean;
  readonly load?: boolean;
  readonly format?: string;
  readonly squash?: boolean;
  readonly squashAll?: boolean;
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
  readonly volume?: readonly string[];
  readonly jobs?: string;
  readonly progress?: string;
  readonly debugShell?: boolean;
  readonly break?: readonly string[];
  readonly report?: string;
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
    flag('--from <image>', 'start from this instead of what the first FROM names'),
    list('--platform <os/arch>', 'build for this platform (several with commas)'),
    flag('--os <os>', "build for this operating system, and for --arch or this machine's architecture"),
    flag('--arch <architecture>', 'build for this architecture, such as arm64'),
    flag('--variant <variant>', 'build for this variant of the architecture, such as v7'),
    list('--label <name=value>', 'add a label to the image'),
    list('--annotation <name=value>', 'annotate the manifest; index:NAME=VALUE the index'),
    list('--env <name[=value]>', 'begin every stage with this variable; without a value, with ours'),
    list('--unsetenv <name>', 'leave the image without this variable'),
    withChoices(
      list(
        '--enable <extension>',
        'more than the language has: errexit-heredocs, include, optional-copy, reset',
      ),
      ['errexit-heredocs', 'include', 'optional-copy', 'reset'],
    ),
  ]);
  addAll(command, 'Names:', [
    list('-t, --tag <name>', 'name the image'),
    list('-d, --destination <name>', 'name the image, and push it'),
    flag('--iidfile <file>', 'write the image id to a file'),
    flag('--metadata-file <file>', 'write what was built to a file, as JSON'),
    flag('--digest-file <file>', 'write the digest of the manifest to a file'),
    flag('--image-name-with-digest-file <file>', '').hideHelp(),
    flag('--image-name-tag-with-digest-file <file>', '').hideHelp(),
    flag('-q, --quiet', 'print nothing but the image id'),
  ]);
  addAll(command, 'Output:', [
    list('-o, --output <where>', 'DIR, - or type=oci|docker|local|tar|registry,dest=…'),
    flag('--push', 'push the image under its names'),
    flag('--no-push', '').hideHelp(),
    flag('--load', 'load the image into docker or podman'),
    choice('--format <kind>', 'oci (default) or docker', ['oci', 'docker']),
    flag('--squash', 'make one layer of all that the build adds to its base'),
    flag('--squash-all', "make one layer of them and the base's"),
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
    choice('--pull [when]', 'always, missing (default), never or newer; alone it is always', [
      'always',
      'missing',
      'never',
      'newer',
    ]).preset('always'),
    flag('--offline', 'ask no registry and no server; steps themselves: --network none'),
    flag('--lock [file]', 'keep what names mean now in a lock file (default: Containerfile.lock)').preset(''),
    flag('--frozen [file]', 'names mean what the lock file says; fail where it says nothing').preset(''),
    flag('--explain', 'tell why each step that ran was not in the cache'),
  ]);
  addAll(command, 'Run:', [
    isolationFlag(),
    runtimeFlag(),
    ...processFlags(),
    list(
      '-v, --volume <host:path>',
      'show every RUN a file or folder of this machine; :ro protects it, :O drops what is written',
    ),
    list('--secret <id=…>', 'id=NAME,src=FILE or id=NAME,env=VARIABLE'),
    list('--ssh <id[=where]>', 'default, or an agent socket or keys for RUN --mount=type=ssh'),
    withChoices(list('--allow <what>', 'let steps have network.host or security.insecure'), [
      'network.host',
      'security.insecure',
    ]),
    flag('--jobs <count>', 'how many steps may work at once'),
  ]);
  addRegistry(command);
  addAll(command, 'Reproducible:', [
    flag('--source-date-epoch <time>', 'seconds since 1970: no file of ours is newer'),
    flag('--timestamp <time>', "the same: podman's name"),
  ]);
  addAll(command, 'Attest:', [
    choice('--provenance [what]', 'say beside the image how it was built: min (default) or max', [
      'min',
      'max',
    ]).preset('true'),
    choice('--sbom [formats]', 'say beside the image what packages it holds: spdx (default), cyclonedx', [
      'spdx',
      'cyclonedx',
    ]).preset('true'),
    signFlag(),
    list('--attest <type=…>', 'the same: type=provenance,mode=max, or type=sbom'),
  ]);
  addAll(command, 'See:', [
    ...progressFlags(),
    flag('--debug-shell', 'open a shell in a step that fails; retry, continue and quit leave it'),
    list('--break <stage[:line]>', 'open a shell before the first step of a stage, or the one in this line'),
    flag('--report <file>', 'write a page about the build, also about one that fails'),
    flag('--check', 'tell what is wrong or doubtful in the file; build nothing'),
    choice('--call <what>', 'build (default), check, outline or targets[,format=json]', [
      'build',
      'check',
      'outline',
      'targets',
    ]),
  ]);
  addIgnored(command);
  return addCommon(command);
}

/** Flags that other builders need and that change nothing here: taken, said once, without effect. */
export const ignoredFlags = [
  ...['--rm [bool]', '--force-rm [bool]', '--compress [bool]', '--layers [bool]', '--cleanup [bool]'],
  ...['--use-new-run [bool]', '--single-snapshot [bool]', '--skip-unused-stages [bool]'],
  ...['--disable-content-trust [bool]', '--builder <name>', '--snapshot-mode <mode>', '--verbosity <level>'],
  ...['--force [bool]', '--log-format <format>', '--log-timestamp [bool]', '--compressed-caching [bool]'],
  ...['--cache-copy-layers [bool]', '--cache-run-layers [bool]'],
];

function addIgnored(command: Command): void {
  for (const words of ignoredFlags) command.addOption(new Option(words).hideHelp());
}

/** What may stand for CONTEXT. */
export const buildContexts = `
CONTEXT is a folder, the URL of a git repository (repo.git#REF:FOLDER) or of a
tar, or - for a tar or a Containerfile on stdin.`;
