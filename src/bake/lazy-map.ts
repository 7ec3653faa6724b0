import type { Value } from './hcl/value.ts';

/** An object whose fields get their values when they are asked for. */
export class LazyMap extends Map<string, Value> {
  readonly #make: (name: string) => Value;

  constructor(names: readonly string[], make: (name: string) => Value) {
    super(names.map((name) => [name, null] as const));
    this.#make = make;
  }

  override get(name: string): Value | undefined {
    return this.has(name) ? this.#make(name) : undefined;
  }

  override *[Symbol.iterator](): MapIterator<[string, Value]> {
    for (const name of this.keys()) yield [name, this.#make(name)];
  }
}
