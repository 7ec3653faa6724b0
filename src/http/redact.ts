/** A URL as it may be shown: without user, password, query and fragment, where tokens and signatures live. */
export function redact(url: string | URL): string {
  const parsed = typeof url === 'string' ? parse(url) : url;
  if (parsed === undefined) return '(unreadable address)';
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}

/** Text from outside as it may be shown: one line, without control characters and queries, cut to `limit` characters. */
export function oneLine(text: string, limit = 200): string {
  const line = text
    .replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]+/g, ' ')
    .replace(/https?:\/\/[^\s"'<>]+/g, (url) => redact(url))
    .replace(/\?[^\s"'<>?=]*=[^\s"'<>]*/g, '')
    .trim();
  return line.length > limit ? `${line.slice(0, limit)}…` : line;
}

function parse(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}
