/** One way to authenticate that a server offers in WWW-Authenticate. */
export interface Challenge {
  /** In lower case: `basic`, `bearer`, `negotiate`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Reads a WWW-Authenticate header, or several joined with commas. Commas part challenges and parameters alike, and
 * stand inside quoted values (`scope="repository:a/b:pull,push"`); what cannot be read is skipped (RFC 9110 §11.6.1).
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  for (const item of header.match(/(?:[^,"]|"(?:[^"\\]|\\.)*")+/g) ?? []) {
    const { scheme, name, value } = parseItem(item.trim());
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: new Map() });
    if (name !== undefined) challenges.at(-1)?.parameters.set(name.toLowerCase(), value ?? '');
  }
  return challenges;
}

/** `Scheme`, `Scheme name=value` or `name=value`. */
function parseItem(item: string): { scheme?: string; name?: string; value?: string } {
  const match = /^(?:([\w!#$%&'*+.^`|~-]+)(?: +|$))?(?:([\w-]+) *= *(?:"(.*)"|([^\s"]*)))?$/s.exec(item);
  if (match === null) return {};
  const [, scheme, name, quoted, plain] = match;
  const value = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1');
  return {
    ...(scheme !== undefined && { scheme }),
    ...(name !== undefined && { name, value: value ?? '' }),
  };
}
