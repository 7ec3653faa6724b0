/** Whether a name is meant by a pattern: `*` stands for any characters, `?` for one, `[a-c]` for one of some. */
export function matches(pattern: string, name: string): boolean {
  if (!/[*?[\]]/.test(pattern)) return pattern === name;
  const source = pattern.replace(/\[\^?[^\]]*\]|[*?]|[^*?[]+|\[/g, (part) => {
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    return /^\[.+\]$/.test(part)
      ? part.replaceAll('\\', '\\\\')
      : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${source}$`).test(name);
}
