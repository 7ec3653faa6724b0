import { BuildError, suggestion } from '../core/errors.ts';
import { normalizePlatform } from '../core/platform.ts';
import type { Platform } from '../core/types.ts';
import { contextsFor, unusedContexts } from './context-names.ts';
import { globalArgsOf } from './global-args.ts';
import { filesOf } from './parse.ts';
import { inFileOrder } from './source-order.ts';
import { linksOf } from './stage-links.ts';
import type { Containerfile, GraphStage, StageGraph } from './types.ts';

export interface GraphOptions {
  /** A stage's name; the last stage where it is not given. */
  readonly target?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** What is built for. */
  readonly platform: Platform;
  /** What the build runs on; the same as `platform` unless said. */
  readonly buildPlatform?: Platform;
  /**
   * Names of `--build-context`: they are never stages, and stay as image references for the caller to replace. A stage
   * of such a name is replaced too.
   */
  readonly contexts?: Iterable<string>;
  /**
   * ONBUILD triggers of base images that are known by now, by the index of the stage that starts from them: what they
   * copy from is needed too. Triggers of stages are known from the file.
   */
  readonly triggers?: ReadonlyMap<number, readonly string[]>;
  /** All stages of the file, not only those that the target needs. */
  readonly every?: boolean;
}

/** A graph as far as it could be made, and all that is wrong with it. */
export interface GraphFindings {
  /** Absent where there is no target. With errors it is not fit to be built. */
  readonly graph?: StageGraph;
  /** In the order of the file. */
  readonly errors: readonly BuildError[];
}

/** As `graphFindings`, but fails with all errors together. */
export function graphOf(containerfile: Containerfile, given: GraphOptions): StageGraph {
  const { graph, errors } = graphFindings(containerfile, given);
  BuildError.throwAll(errors);
  return graph!;
}

/**
 * The stages that the target needs, with their bases expanded and their platforms known (§1.5, §1.6). `needs` also
 * holds what ONBUILD triggers of a parent stage copy from. Errors (`parse`, located but for the target): an unknown
 * target, a reference to a stage that comes later, a circle, a blank base name, a malformed platform.
 */
export function graphFindings(containerfile: Containerfile, given: GraphOptions): GraphFindings {
  const options = normalized(given);
  const target = targetOf(containerfile, options.target);
  if (target instanceof BuildError) return { errors: [target] };
  const errors: BuildError[] = [];
  const { values: globalArgs, broken } = globalArgsOf(containerfile, { ...options, errors });
  const contexts = contextsFor(options.contexts ?? [], [options.platform, options.buildPlatform]);
  const scope = { containerfile, globalArgs, broken, contexts, errors };
  const links = linksOf(scope, { ...options, target, every: options.every ?? false });
  const graph = {
    stages: withPlatforms(links, options.platform),
    containerfile,
    target,
    platform: options.platform,
    buildPlatform: options.buildPlatform,
    globalArgs,
    warnings: unusedContexts(containerfile, links, contexts),
    withTriggers(stage: number, triggers: readonly string[]): StageGraph {
      const all = new Map([...(given.triggers ?? []), [stage, triggers] as const]);
      return graphOf(containerfile, { ...given, triggers: all });
    },
  };
  return { graph, errors: inFileOrder(errors, filesOf(containerfile)) };
}

type Normalized = GraphOptions & Required<Pick<GraphOptions, 'buildPlatform'>>;

function normalized(options: GraphOptions): Normalized {
  const platform = normalizePlatform(options.platform);
  return { ...options, platform, buildPlatform: normalizePlatform(options.buildPlatform ?? platform) };
}

function targetOf({ stages }: Containerfile, target: string | undefined): number | BuildError {
  if (target === undefined || target === '') return stages.length - 1;
  const named = stages.filter(({ name }) => name === target.toLowerCase()).at(-1);
  if (named !== undefined) return named.index;
  const names = stages.flatMap(({ name }) => name ?? []);
  const all = names.length === 0 ? 'No stage has a name: FROM image AS name gives it one.' : undefined;
  return new BuildError('parse', `target stage "${target}" could not be found`, {
    hint: suggestion(target, names) ?? all ?? `There are: ${names.join(', ')}.`,
  });
}

/** Without a `--platform` of its own a stage has that of the stage it starts from, else what is built for. */
function withPlatforms(links: ReturnType<typeof linksOf>, target: Platform): GraphStage[] {
  const known = new Map<number, Platform>();
  return links.map(({ stage, base, platform: own, needs }) => {
    const inherited = base.kind === 'stage' ? known.get(base.index) : undefined;
    const platform = own ?? inherited ?? target;
    known.set(stage.index, platform);
    return { stage, base, platform, needs };
  });
}
