import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { BakeFile, Selection } from '../commands/bake.ts';
import type { Member } from '../commands/build-group.ts';
import type { EventBody } from '../core/events.ts';
import { type ForAll, targetOptions } from './bake-target.ts';
import { imagesNamed, withFullNames, writesToStdout } from './build.ts';
import type { WrittenOptions } from './build-options.ts';
import { callOf, runCall } from './call.ts';
import { errorLine, Failure, failureCode } from './failure.ts';
import { type CommonFlags, type RegistryFlags, registryOptions } from './flags.ts';
import type { Host } from './host.ts';
import { storeRoot } from './root.ts';
import { openShowing, type Showing, type ShowingFlags } from './showing.ts';
import { parseCount } from './values.ts';

/** Flags that every command has which builds several targets. */
export type GroupFlags = CommonFlags &
  RegistryFlags &
  ShowingFlags & {
    readonly metadataFile?: string;
    readonly jobs?: string;
    readonly runtime?: string;
    readonly memory?: string;
    readonly call?: string;
    readonly check?: boolean;
  };

/** What is built, and how it is told. */
export interface GroupRun {
  readonly flags: GroupFlags;
  readonly host: Host;
  readonly allow: readonly string[];
  /** The files that say what is built: messages show their lines. */
  readonly files: readonly BakeFile[];
  readonly notes: readonly EventBody[];
  /** Refuses options that a target must not have. */
  readonly check?: (name: string, options: WrittenOptions) => void;
}

/** Builds every target of a selection, or asks something of their files. Gives the exit code. */
export async function runTargets({ targets }: Selection, run: GroupRun): Promise<number> {
  const { flags, host } = run;
  const forAll = forAllOf(run);
  const members = [...targets].map(([name, settings]) => {
    const call = callOf({ ...settings, ...flags });
    const options = targetOptions(name, settings, { host, forAll });
    run.check?.(name, options);
    return { name, options, call };
  });
  const asked = members.filter(({ call }) => call !== undefined);
  if (asked.length === 0) return await buildTargets(members, run);
  let code = 0;
  for (const { name, options, call } of asked) {
    if (asked.length > 1) host.write(1, `# ${name}\n`);
    code = Math.max(code, await runCall(call!, options, { flags, host }));
  }
  return code;
}

function forAllOf({ flags, allow }: GroupRun): ForAll {
  const { runtime, jobs, memory, offline } = flags;
  return {
    allow,
    ...(runtime !== undefined && { runtime }),
    ...(jobs !== undefined && { jobs }),
    ...(memory !== undefined && { memory }),
    ...(offline !== undefined && { offline }),
  };
}

interface WrittenMember {
  readonly name: string;
  readonly options: WrittenOptions;
}

async function buildTargets(members: readonly WrittenMember[], run: GroupRun): Promise<number> {
  const { flags, host } = run;
  const read = reading(run);
  const showing = await openShowing(flags, host, { title: 'Building', sources: read });
  for (const note of run.notes) showing.emit(note);
  try {
    const results = await build(members, { ...run, showing, onSource: read.onSource });
    showing.close();
    if (showing.mode === 'events')
      showing.writeLine({ type: 'result', targets: Object.fromEntries(results) });
    if (!members.some(({ options }) => writesToStdout(options)))
      for (const [name, { id }] of results) host.write(1, results.size === 1 ? `${id}\n` : `${name} ${id}\n`);
    return 0;
  } catch (error) {
    showing.close();
    if (showing.mode !== 'events') throw new Failure(error, { ...showing.failed(), ...read });
    showing.writeLine(errorLine(error, host));
    return failureCode(error, host);
  }
}

async function build(
  members: readonly WrittenMember[],
  { flags, host, showing, onSource }: GroupRun & { readonly showing: Showing; readonly onSource: Note },
) {
  const { buildGroup } = await import('../commands/build-group.ts');
  const named: Member[] = [];
  for (const { name, options } of members)
    named.push({ name, options: { ...(await withFullNames(options)), onSource } });
  const images = members.flatMap(({ options }) => imagesNamed(options));
  const { metadataFile, jobs } = flags;
  const keepBytes = members[0]?.options.keepBytes;
  return await buildGroup(named, {
    registry: registryOptions(flags, (path) => resolve(host.cwd, path), images),
    place: host.place,
    root: storeRoot(flags, host),
    cwd: host.cwd,
    jobs: jobs === undefined ? Math.max(4, availableParallelism()) : parseCount('--jobs', jobs, 1),
    ...(metadataFile !== undefined && { metadataFile: resolve(host.cwd, metadataFile) }),
    ...(keepBytes !== undefined && { keepBytes }),
    emit: showing.emit,
    signal: host.signal,
  });
}

type Note = (file: string, text: string) => void;

/** Texts that messages show lines of: of the files of the group, and of what its builds read. */
function reading({ files, host }: GroupRun): {
  readonly onSource: Note;
  readonly read: (file: string) => string | undefined;
  readonly path: (file: string) => string | undefined;
} {
  const kept = new Map(files.map(({ name, text }) => [name, text]));
  return {
    onSource: (file, text) => void kept.set(file, text),
    read: (file) => kept.get(file),
    path: (file) => {
      const path = resolve(host.cwd, file);
      return existsSync(path) ? path : undefined;
    },
  };
}
