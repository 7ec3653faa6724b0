import type { Debugger } from '../../builder/debug/debugger.ts';
import type { StageGraph } from '../containerfile/types.ts';
import type { BuildOptions } from '../core/options.ts';

/**
 * Who looks around where the build stops; undefined where nobody does. Fails with `usage` on a `--break` that means nothing
 * in these graphs.
 */
export async function openDebugger(
  options: BuildOptions,
  graphs: readonly StageGraph[],
): Promise<Debugger | undefined> {
  const { atFailures = false, breaks = [], terminal } = options.debug ?? {};
  if (terminal === undefined || (!atFailures && breaks.length === 0)) return undefined;
  const [{ breakpointsOf }, { TerminalDebugger }] = await Promise.all([
    import('./breakpoints.ts'),
    import('./terminal-debugger.ts'),
  ]);
  const breakpoints = breakpointsOf(breaks, graphs);
  return new TerminalDebugger({ atFailures, breakpoints, terminal, options });
}
