import { resolve } from 'node:path';
import { type BuildFlags, buildContexts, defineBuildFlags } from './build-flags.ts';
import { buildOptions, ignoredOf, type WrittenOptions } from './build-options.ts';
import { checkReport, withReport } from './build-report.ts';
import { callOf, runCall } from './call.ts';
import { errorLine, Failure, failureCode } from './failure.ts';
import { registryOptions } from './flags.ts';
import type { Host } from './host.ts';
import { kaniko } from './kaniko.ts';
import { storeRoot } from './root.ts';
import { openShowing, type Showing } from './showing.ts';
import { type SourceTexts, sourceTexts } from './source-texts.ts';
import type { CommandSpec } from './spec.ts';

export const buildCommand: CommandSpec = {
  name: 'build',
  summary: 'build an image from a Containerfile',
  rewrites: kaniko,
  define: (command) =>
    defineBuildFlags(command)
      .usage('[flags] CONTEXT')
      .allowExcessArguments()
      .addHelpText('after', buildContexts),
  run: async (command, host) => {
    const flags = command.opts<BuildFlags>();
    checkReport(flags);
    const call = callOf(flags);
    const options = buildOptions(flags, command.args, host);
    if (call !== undefined) return await runCall(call, options, { flags, host });
    const sources = sourceTexts(options, host.cwd);
    const showing = await openShowing(flags, host, { title: 'Building', sources });
    sayIgnored(flags, showing);
    return await withReport({ flags, host, showing }, (showing) =>
      runBuild(options, { flags, host, showing, sources }),
    );
  },
};

interface Around {
  readonly flags: BuildFlags;
  readonly host: Host;
  readonly showing: Showing;
  readonly sources: SourceTexts;
}

async function runBuild(options: WrittenOptions, { flags, host, showing, sources }: Around): Promise<number> {
  const registry = registryOptions(flags, (path) => resolve(host.cwd, path), imagesNamed(options));
  const { onSource } = sources;
  try {
    const { build } = await import('../build.ts');
    const written = withTerminal(await withFullNames(options), showing, host);
    const told = { ...written, emit: showing.emit, signal: host.signal, onSource };
    const result = await build(told, registry, host.place, storeRoot(flags, host));
    showing.close();
    host.keepCode?.();
    if (showing.mode === 'events') showing.writeLine({ type: 'result', ...result });
    if (!writesToStdout(options)) host.write(1, `${result.id}\n`);
    return 0;
  } catch (error) {
    showing.close();
    if (showing.mode !== 'events') throw new Failure(error, { ...showing.failed(), ...sources });
    showing.writeLine(errorLine(error, host));
    return failureCode(error, host);
  }
}

/** Where the build may stop, and there is somebody at a terminal. */
function withTerminal(options: WrittenOptions, showing: Showing, host: Host): WrittenOptions {
  const { debug } = options;
  if (debug === undefined || !(host.isTerminal(0) && host.isTerminal(2))) return options;
  const say = (text: string): void => void host.write(2, text);
  return { ...options, debug: { ...debug, terminal: { hold: showing.hold, say } } };
}

function sayIgnored(flags: BuildFlags, showing: Showing): void {
  const names = ignoredOf(flags);
  if (names.length === 0) return;
  const text = `${names.join(', ')}: accepted, without effect in tsbuild`;
  showing.emit({ type: 'note', level: 'info', text });
}

/** `myapp` is `docker.io/library/myapp:latest` wherever it goes. Fails with `usage` on what is no name. */
export async function withFullNames(options: WrittenOptions): Promise<WrittenOptions> {
  const { nameToGive, nameToRead } = await import('../commands/find-image.ts');
  const outputs = options.outputs.map((output) =>
    output.type === 'registry' ? { ...output, names: output.names.map(nameToGive) } : output,
  );
  return {
    ...options,
    outputs,
    tags: [...new Set(options.tags.map(nameToGive))],
    cacheFrom: options.cacheFrom.map((site) =>
      site.type === 'registry' ? { ...site, name: nameToRead(site.name) } : site,
    ),
    cacheTo: options.cacheTo.map((target) =>
      'mode' in target && target.site.type === 'registry'
        ? { ...target, site: { ...target.site, name: nameToGive(target.site.name) } }
        : target,
    ),
  };
}

/** The images of registries that the command line names. A short tag that is not pushed is a name in the store alone. */
export function imagesNamed({
  tags,
  outputs,
  cacheFrom,
  cacheTo,
}: Pick<WrittenOptions, 'tags' | 'outputs' | 'cacheFrom' | 'cacheTo'>): string[] {
  const sites = [...cacheFrom, ...cacheTo.map(({ site }) => site)];
  const caches = sites.flatMap((site) => (site.type === 'registry' ? [site.name] : []));
  const pushed = outputs.flatMap((output) => (output.type === 'registry' ? output.names : []));
  return [...pushed, ...caches, ...tags.filter((tag) => /^([^/]*[.:][^/]*|localhost)\//.test(tag))];
}

/** Whether an output takes stdout, so that nothing else may be written there. */
export function writesToStdout(options: WrittenOptions): boolean {
  return options.outputs.some((output) => 'dest' in output && output.dest === '-');
}
