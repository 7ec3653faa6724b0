import { BuildError } from '../core/errors.ts';
import { hostOf } from './login.ts';
import type { Surroundings } from './surroundings.ts';
import { openRegistry } from './wiring.ts';

/** Forgets the login of a registry. Fails with `not-found` where there is none. */
export async function logout(registry: string, here: Surroundings): Promise<void> {
  const host = hostOf(registry);
  await using registries = openRegistry(here.registry, here.place);
  if (!(await registries.credentials.removeLogin(host)))
    throw new BuildError('not-found', `there is no login for ${host}`, {
      hint: 'It may be filed under another name.',
    });
  here.say(`logged out of ${host}\n`);
}
