import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const setting = 'kernel.apparmor_restrict_unprivileged_userns';

/**
 * Ubuntu lets only named programs make user namespaces. A machine of GitHub's lives for one job: there the setting is
 * lifted. A machine of one's own is left as it is, and `tsbuild` says what it lacks.
 */
export function allowNamespaces(env, file = `/proc/sys/${setting.replaceAll('.', '/')}`) {
  if (env.RUNNER_ENVIRONMENT !== 'github-hosted') return;
  if (!existsSync(file) || readFileSync(file, 'utf8').trim() !== '1') return;
  const { status } = spawnSync('sudo', ['-n', 'sysctl', '-q', '-w', `${setting}=0`], {
    stdio: 'inherit',
    env,
  });
  if (status === 0)
    console.log(`${setting} is 0 for the rest of this job, so that steps can have user namespaces`);
}
