/** A flag and its value, where there is one. */
export function one(flag: string, value: string | number | boolean | undefined): string[] {
  return value === undefined ? [] : [`${flag}=${value}`];
}

/** A flag whose value may be left out. */
export function optional(flag: string, value: string | boolean | undefined): string[] {
  if (value === undefined || value === false) return [];
  return [value === true ? flag : `${flag}=${value}`];
}

/** A flag for each value. */
export function many(flag: string, values: readonly string[] = []): string[] {
  return values.map((value) => `${flag}=${value}`);
}

/** A flag for each name and its value. */
export function pairs(flag: string, values: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(values).map(([name, value]) => `${flag}=${name}=${value}`);
}
