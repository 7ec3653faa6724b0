import { digestOf, type Framed } from '../../src/core/digest.ts';
import { hideLogins } from '../../src/core/logins.ts';
import { seemsSecret } from '../../src/core/secret-names.ts';

/** Shorter values stand in too many other words. */
const SHORTEST = 6;

const STARS = '****';

/** Hexadecimal digits of a hidden value's digest: enough to see that it changed, too few to find it. */
const MARK_DIGITS = 4;

/**
 * Takes out of ingredients what may be secret: the values of variables whose names say so, wherever they stand, and the
 * logins of addresses.
 */
export class Masks {
  readonly #values: readonly string[];

  constructor(variables: ReadonlyMap<string, string>) {
    const secrets = [...variables].filter(([name]) => seemsSecret(name)).map(([, value]) => value);
    this.#values = secrets.filter((value) => value.length >= SHORTEST);
  }

  /** The same without secrets. Of a variable (in a list `env`) a third word tells one hidden value from another. */
  hide(value: Framed): Framed {
    if (typeof value === 'string') return this.#text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return (value as readonly Framed[]).map((one) => this.hide(one));
    const fields = Object.entries(value).map(([name, field]) => [
      name,
      name === 'env' ? this.#variables(field as Framed) : this.hide(field as Framed),
    ]);
    return Object.fromEntries(fields) as Framed;
  }

  #variables(env: Framed): Framed {
    return (env as readonly (readonly [string, string])[]).map(([name, value]) => {
      const shown = seemsSecret(name) ? STARS : this.#text(value);
      return shown === value ? [name, value] : [name, shown, digestOf(value).slice(7, 7 + MARK_DIGITS)];
    });
  }

  #text(text: string): string {
    const hidden = this.#values.reduce((shown, value) => shown.replaceAll(value, STARS), text);
    return hideLogins(hidden);
  }
}
