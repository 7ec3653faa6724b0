import type { Environment } from '../http/proxy.ts';
import type { Secret } from './secret.ts';

/**
 * The login that a CI job is given in its variables: GitLab's for its registry and its dependency proxy, GitHub's for
 * ghcr.io. Each is for exactly the host that it was made for, port included (spec: registry.md §4.1).
 */
export function ciLogin(host: string, env: Environment): Secret | undefined {
  const own = jobLogins(env).find((login) => login.host === host && login.username && login.password);
  return own && { type: 'password', username: own.username!, password: own.password! };
}

interface JobLogin {
  readonly host: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

function jobLogins(env: Environment): readonly JobLogin[] {
  return [
    { host: env.CI_REGISTRY, username: env.CI_REGISTRY_USER, password: env.CI_REGISTRY_PASSWORD },
    { host: env.CI_REGISTRY, username: 'gitlab-ci-token', password: env.CI_JOB_TOKEN },
    {
      host: env.CI_DEPENDENCY_PROXY_SERVER,
      username: env.CI_DEPENDENCY_PROXY_USER,
      password: env.CI_DEPENDENCY_PROXY_PASSWORD,
    },
    { host: 'ghcr.io', username: env.GITHUB_ACTOR, password: env.GITHUB_TOKEN },
  ];
}
