import { spawnSync } from 'node:child_process';
import { accessSync, appendFileSync, constants, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inputText } from './inputs.mjs';

/**
 * The path of the command: the one that is there, or the version that is asked for, installed by npm once for a machine. It is
 * on the PATH of the job's later steps too.
 */
export function findTsbuild(env) {
  const asked = inputText(env, 'version');
  const present = asked === '' ? onPath('tsbuild', env) : undefined;
  if (present !== undefined) return present;
  const version = asked || ownVersion();
  const prefix = join(env.RUNNER_TOOL_CACHE || env.RUNNER_TEMP, 'tsbuild', version.replace(/[^\w.-]/g, '_'));
  const command = join(prefix, 'bin', 'tsbuild');
  if (!isProgram(command)) install(version, prefix, env);
  if (env.GITHUB_PATH) appendFileSync(env.GITHUB_PATH, `${dirname(command)}\n`);
  return command;
}

/** PATH, with the Node that runs the action where the machine has none. */
export function withNode(env) {
  const path = env.PATH ?? '';
  return onPath('node', env) ? path : `${path}${delimiter}${dirname(process.execPath)}`;
}

function install(version, prefix, env) {
  const words = ['install', '--global', '--prefix', prefix, '--ignore-scripts', '--no-audit', '--no-fund'];
  const spec = /[/:]/.test(version) ? version : `tsbuild@${version}`;
  const options = { stdio: ['ignore', 'inherit', 'inherit'], env: { ...env, PATH: withNode(env) } };
  const { status, error } = spawnSync('npm', [...words, '--', spec], options);
  if (error?.code === 'ENOENT')
    throw new Error('npm is not there to install tsbuild: use actions/setup-node first');
  if (status !== 0) throw new Error(`npm could not install ${spec}`);
}

function ownVersion() {
  const file = fileURLToPath(new URL('../../package.json', import.meta.url));
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

function onPath(name, { PATH = '' }) {
  const folders = PATH.split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
