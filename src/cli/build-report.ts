import { resolve } from 'node:path';
import { usageError } from '../core/errors.ts';
import type { EventBody } from '../core/events.ts';
import type { BuildFlags } from './build-flags.ts';
import type { Host } from './host.ts';
import type { Showing } from './showing.ts';
import { still } from './surround.ts';

interface Around {
  readonly flags: BuildFlags;
  readonly host: Host;
  readonly showing: Showing;
}

/**
 * Runs a build and, once it has ended, well or not, writes the page that `--report` asks for. A failure of the build is told
 * before one of the page.
 */
export async function withReport(
  { flags, host, showing }: Around,
  run: (showing: Showing) => Promise<number>,
): Promise<number> {
  const { report: file } = flags;
  if (file === undefined) return await run(showing);
  let build: string | undefined;
  const emit = (event: EventBody): void => {
    if (event.type === 'build-start') build = event.id;
    showing.emit(event);
  };
  const write = async (): Promise<void> => {
    if (build === undefined) {
      host.write(2, 'warning: there is nothing to report: no step was begun\n');
      return;
    }
    const { report } = await import('../commands/report.ts');
    await report({ build, file: () => resolve(host.cwd, file) }, still(flags, host));
  };
  const code = await run({ ...showing, emit }).catch(async (error: unknown) => {
    await write().catch((second) => host.write(2, `warning: ${second.message}\n`));
    throw error;
  });
  await write();
  return code;
}

/** Fails with `usage` where there is no build to report of, or nowhere to put the page. */
export function checkReport({ report, call, check }: BuildFlags): void {
  if (report === undefined) return;
  if (report === '-' || report === '')
    throw usageError(
      '--report takes the name of a file',
      'For stdout: `tsbuild report -o -` after the build.',
    );
  if (check === true || (call !== undefined && call !== 'build'))
    throw usageError('--report is about a build, and nothing is to be built', 'Leave --report away.');
}
