/** Takes `user[:group]` apart, as USER and `--chown` have it; an empty group stays an empty string. */
export function splitUser(text: string): { readonly user: string; readonly group?: string } {
  const colon = text.indexOf(':');
  if (colon < 0) return { user: text };
  return { user: text.slice(0, colon), group: text.slice(colon + 1) };
}
