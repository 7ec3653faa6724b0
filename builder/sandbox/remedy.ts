/** A remedy as one sentence: its commands, which stand on lines of their own, between backquotes. */
export function inOneLine(remedy: string): string {
  const [text = '', ...commands] = remedy.split('\n');
  if (commands.length === 0) return text;
  return `${text} ${commands.map((command) => `\`${command}\``).join(', ')}.`;
}
