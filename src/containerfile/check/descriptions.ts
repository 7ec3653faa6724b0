/** What the comments above an ARG or a stage say of it: those that begin with its name. */
export function descriptionOf(comments: readonly string[], name: string): string | undefined {
  const found = comments.find((comment) => comment.startsWith(`${name} `));
  return found?.slice(name.length + 1).trim();
}
