import { BuildError } from '../core/errors.ts';
import { asText, isGitHub } from '../report/ci-marks.ts';
import type { FailureSetting } from '../report/error.ts';
import type { Host } from './host.ts';
import { pathsIn, type SourceTexts } from './source-texts.ts';

/** What is known for the text of a failure, and where the files that it names are. */
type About = Omit<FailureSetting, 'debug'> & Partial<Pick<SourceTexts, 'path'>>;

/** A failure on its way to the end of the command, with what is known for its text. */
export class Failure extends Error {
  readonly about: About;

  constructor(error: unknown, about: About) {
    super('failed', { cause: error });
    this.about = about;
  }
}

/** 130 or 143 when a signal ended us, 2 for wrong use, else 1. */
export function failureCode(error: unknown, host: Host): number {
  return host.interrupted() ?? (error instanceof BuildError && error.code === 'usage' ? 2 : 1);
}

/** Tells a failure on stderr and gives the exit code. */
export async function tellFailure(thrown: unknown, debug: boolean, host: Host): Promise<number> {
  const { error, about } = unpack(thrown);
  const code = failureCode(error, host);
  if (host.interrupted() !== undefined) host.write(2, 'tsbuild: interrupted\n');
  else {
    const { renderFailure } = await import('../report/error.ts');
    const columns = host.isTerminal(2) ? host.size().columns : undefined;
    host.write(2, asText(renderFailure(error, { ...about, debug, columns }), host.env));
    if (isGitHub(host.env)) host.write(2, await annotationOf(error, about, host));
  }
  return code;
}

async function annotationOf(error: unknown, { path }: About, host: Host): Promise<string> {
  const { annotateError } = await import('../report/annotation.ts');
  return annotateError(error, pathsIn(host.env, path && { path }));
}

/** A failure as a line for programs of ours. */
export function errorLine(error: unknown, host: Host): object {
  const known = error instanceof BuildError ? error : undefined;
  const { code = 'bug', hint, location, exitCode, log } = known ?? {};
  const message = error instanceof Error ? error.message : String(error);
  const errors = known?.errors?.map((one) => ({
    code: one.code,
    message: one.message,
    hint: one.hint,
    location: one.location,
  }));
  const status = failureCode(error, host);
  return { type: 'error', code, message, hint, location, errors, exitCode, log, status };
}

function unpack(thrown: unknown): { readonly error: unknown; readonly about: About } {
  if (thrown instanceof Failure) return { error: thrown.cause, about: thrown.about };
  return { error: thrown, about: { read: () => undefined } };
}
