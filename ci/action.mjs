// The GitHub action: builds what its inputs say, tells outputs and a summary. action.yml describes the inputs.

import { buildCommand } from './github/build-command.mjs';
import { findTsbuild } from './github/find-tsbuild.mjs';
import { allowNamespaces } from './github/namespaces.mjs';
import { failWith, setOutputs } from './github/outputs.mjs';
import { runBuild } from './github/run-build.mjs';
import { writeSummary } from './github/summary.mjs';

const { env } = process;

try {
  const command = buildCommand(env);
  allowNamespaces(env);
  const build = await runBuild(findTsbuild(env), command, env);
  setOutputs(build, env);
  if (command.summary) writeSummary(build, env);
  process.exitCode = build.code;
} catch (error) {
  failWith(error);
}
