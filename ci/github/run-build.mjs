import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withNode } from './find-tsbuild.mjs';

/**
 * Runs the build to its end, its story in the job's log. Gives its exit code, the image id and the metadata, and how the build is
 * remembered (`tsbuild builds`), as far as they are there.
 */
export async function runBuild(tsbuild, { args, context, variables }, env) {
  const folder = mkdtempSync(join(env.RUNNER_TEMP || tmpdir(), 'tsbuild-action-'));
  const [idFile, metadataFile] = ['id', 'metadata.json'].map((name) => join(folder, name));
  const files = [`--iidfile=${idFile}`, `--metadata-file=${metadataFile}`];
  const began = new Date().toISOString();
  try {
    const own = { ...env, ...variables, PATH: withNode(env) };
    const code = await unheeded(() => exitCode(tsbuild, ['build', ...args, ...files, '--', context], own));
    const id = read(idFile)?.trim();
    const remembered = lastBuild(tsbuild, began, own);
    return { code, id, metadata: JSON.parse(read(metadataFile) ?? '{}'), remembered };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What steps write is no command to the runner: it would set outputs and hide or add messages. */
async function unheeded(work) {
  const word = randomUUID();
  console.log(`::stop-commands::${word}`);
  try {
    return await work();
  } finally {
    console.log(`::${word}::`);
  }
}

/** A cancelled job sends signals to us alone. */
function exitCode(program, words, env) {
  const child = spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit'], env });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function lastBuild(tsbuild, began, env) {
  const { status, stdout } = spawnSync(tsbuild, ['builds', '--format', 'json'], { encoding: 'utf8', env });
  const [last] = status === 0 ? JSON.parse(stdout) : [];
  return last !== undefined && last.started >= began ? last : undefined;
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
