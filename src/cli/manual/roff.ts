/** Text as roff has it: nothing of it is a request, and hyphens stay what people type. */
export function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replaceAll(/^(?=[.'])/gm, '\\&');
}

/** The same, in bold. */
export function bold(text: string): string {
  return `\\fB${roff(text)}\\fR`;
}

/** What stands for a value. */
export function slanted(text: string): string {
  return `\\fI${roff(text)}\\fR`;
}

export function section(heading: string, ...lines: readonly string[]): string {
  return [`.SH ${heading.toUpperCase()}`, ...lines, ''].join('\n');
}

/** A term and what is said of it below. */
export function term(head: string, text: string): string {
  return `.TP\n${head}\n${roff(text)}`;
}

/** Lines as they stand, such as a command and its output. */
export function verbatim(lines: readonly string[]): string {
  return ['.PP', '.nf', '.RS 4', ...lines.map(roff), '.RE', '.fi'].join('\n');
}
