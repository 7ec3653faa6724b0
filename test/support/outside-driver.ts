// A program for tests: runs requests from a JSON file through the outside helper, and prints what came of each.
import { readFileSync } from 'node:fs';
import { runOutside } from '../../builder/sandbox/outside.ts';
import { readPlace } from '../../src/core/place.ts';

export interface OutsideJob {
  readonly argv: readonly string[];
  readonly stdin?: string;
  /** This many megabytes of zeros instead. */
  readonly megabytes?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly abortAfterMs?: number;
  /** Kills the driver itself instead of waiting. */
  readonly dieAfterMs?: number;
}

const MEGABYTE = 1024 * 1024;
const place = readPlace(process.env);
console.log(JSON.stringify({ place, uid: process.getuid?.(), pid: process.pid }));
const jobs =
  process.argv[2] === undefined ? [] : (JSON.parse(readFileSync(process.argv[2], 'utf8')) as OutsideJob[]);
for (const job of jobs) console.log(JSON.stringify(await perform(job)));

async function perform({
  argv,
  stdin,
  megabytes,
  env,
  cwd,
  abortAfterMs,
  dieAfterMs,
}: OutsideJob): Promise<object> {
  const controller = new AbortController();
  if (abortAfterMs !== undefined)
    setTimeout(() => controller.abort(new Error('aborted by the test')), abortAfterMs);
  if (dieAfterMs !== undefined) setTimeout(() => process.kill(process.pid, 'SIGKILL'), dieAfterMs);
  let bytes = 0;
  try {
    const result = await runOutside(place, argv, {
      signal: controller.signal,
      ...(stdin !== undefined && { stdin: Buffer.from(stdin) }),
      ...(megabytes !== undefined && {
        stdin: zeros(megabytes),
        stdout: (chunk: Buffer) => {
          bytes += chunk.length;
        },
      }),
      ...(env !== undefined && { env }),
      ...(cwd !== undefined && { cwd }),
    });
    return { code: result.code, stdout: String(result.stdout), stderr: String(result.stderr), bytes };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

async function* zeros(megabytes: number): AsyncGenerator<Buffer> {
  for (let count = 0; count < megabytes; count++) yield Buffer.alloc(MEGABYTE);
}
