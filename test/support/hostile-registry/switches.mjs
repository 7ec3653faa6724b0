// Every quirk and fault by name: what starts the registry is data. A row is `{ name, about, ...switches }`.
// `large`, `slow`, `identity` and `tls` say what it takes to see something (switches.d.mts); the rest is what registry.mjs takes.
import { answers, redirects, store } from './rows/reads.mjs';
import { inside, secrets } from './rows/secrets.mjs';
import { broken, statuses } from './rows/trouble.mjs';
import { locations, mounts, pieces, sessions } from './rows/uploads.mjs';

/** All of them; names are unique. `strict` is the registry as the specification has it. */
export const switches = [
  { name: 'strict', about: 'nothing is wrong' },
  ...locations,
  ...pieces,
  ...mounts,
  ...redirects,
  ...secrets,
  ...statuses,
  ...broken,
  ...store,
  ...sessions,
  ...answers,
  ...inside,
];

/** The switches of that name; throws where there is none. */
export function switchesOf(name) {
  const found = switches.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no switch ${name}: --list names all of them`);
  return found;
}
