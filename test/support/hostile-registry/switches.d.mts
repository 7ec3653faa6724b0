import type { Switches } from './registry.mjs';

export interface NamedSwitches extends Switches {
  readonly name: string;
  readonly about: string;
  /** Shows only with a blob of more than 8 MiB. */
  readonly large?: boolean;
  /** Answers come late or never, once or always: the client's own limits of time count. */
  readonly slow?: 'once' | 'always';
  /** The client has an identity token and no password. */
  readonly identity?: boolean;
  /** The registry needs a name that looks public, and TLS. */
  readonly tls?: boolean;
}

export const switches: readonly NamedSwitches[];
export function switchesOf(name: string): NamedSwitches;
