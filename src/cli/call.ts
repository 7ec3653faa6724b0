import { resolve } from 'node:path';
import type { Answer, Call } from '../commands/call.ts';
import { suggestion, usageError } from '../core/errors.ts';
import type { CheckReport } from '../report/check.ts';
import { asText, isGitHub } from '../report/ci-marks.ts';
import type { BuildFlags } from './build-flags.ts';
import type { WrittenOptions } from './build-options.ts';
import { Failure } from './failure.ts';
import { type CommonFlags, type RegistryFlags, registryOptions } from './flags.ts';
import type { Host } from './host.ts';
import { storeRoot } from './root.ts';
import { pathsIn, type SourceTexts, sourceTexts } from './source-texts.ts';

/** What is asked of a file instead of building it, and whether the answer is JSON. */
export interface AskedCall {
  readonly call: Call;
  readonly json: boolean;
}

const NAMES = ['build', 'check', 'outline', 'targets'] as const;

/** `--call` and `--check`; undefined for a build. Fails with `usage`. */
export function callOf({ call: written, check }: Pick<BuildFlags, 'call' | 'check'>): AskedCall | undefined {
  const [word = 'build', ...options] = (written ?? 'build').split(',');
  const name = word === 'lint' ? 'check' : NAMES.find((known) => known === word);
  if (name === undefined) {
    const hint = suggestion(word, NAMES) ?? `It is one of ${NAMES.join(', ')}.`;
    throw usageError(`--call does not know '${word}'`, hint);
  }
  const json = options.map((option) => isJson(option)).some(Boolean);
  if (!check) return name === 'build' ? undefined : { call: name, json };
  if (name === 'build' || name === 'check') return { call: 'check', json };
  throw usageError(`--check and --call=${name} ask for two things`, 'Give one of them.');
}

function isJson(option: string): boolean {
  if (option === 'format=json') return true;
  if (option === 'format=text' || option === '') return false;
  throw usageError(`--call does not know '${option}'`, 'Write format=json there, or leave it out.');
}

/** Asks, and prints the answer on stdout. The exit code is 1 where a check found something. */
export async function runCall(
  { call, json }: AskedCall,
  options: WrittenOptions,
  { flags, host }: { readonly flags: CommonFlags & RegistryFlags; readonly host: Host },
): Promise<number> {
  const { onSource, path, read } = sourceTexts(options, host.cwd);
  const { callFile } = await import('../commands/call.ts');
  const told = { ...options, emit: () => {}, signal: host.signal, onSource };
  const registry = registryOptions(flags, (path) => resolve(host.cwd, path), options.tags);
  try {
    const here = { registry, place: host.place, root: storeRoot(flags, host) };
    const answer = await callFile(call, told, here);
    const text = json ? `${JSON.stringify(answer.json, null, 2)}\n` : await textOf(answer, read);
    host.write(1, json ? text : asText(text, host.env));
    if (answer.call === 'check' && !json && isGitHub(host.env))
      await annotate(answer.checked, { path, host });
    return answer.call === 'check' && answer.json.warnings.length + (answer.json.errors?.length ?? 0) > 0
      ? 1
      : 0;
  } catch (error) {
    throw new Failure(error, { read, path });
  }
}

/** What a check found stands beside the lines of a pull request, too, where GitHub reads along. */
async function annotate(
  { errors, warnings }: CheckReport,
  { path, host }: { readonly path: SourceTexts['path']; readonly host: Host },
): Promise<void> {
  const { annotateError, annotateWarnings } = await import('../report/annotation.ts');
  const pathOf = pathsIn(host.env, { path });
  host.write(2, errors.map((error) => annotateError(error, pathOf)).join(''));
  host.write(2, annotateWarnings(warnings, pathOf));
}

async function textOf(answer: Answer, read: (file: string) => string | undefined): Promise<string> {
  if (answer.call === 'check') {
    const { renderCheck } = await import('../report/check.ts');
    return renderCheck(answer.checked, read);
  }
  const { renderOutline, renderTargets } = await import('../report/outline.ts');
  return answer.call === 'outline' ? renderOutline(answer.outline) : renderTargets(answer.targets);
}
