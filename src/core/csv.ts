/**
 * The fields of one line of CSV (RFC 4180): quotes around a field keep its commas, two of them inside stand for one.
 * Undefined where a quote that opens a field does not close it.
 */
export function csvFields(text: string): string[] | undefined {
  const fields: string[] = [];
  const field = /"((?:[^"]|"")*)"(?=,|$)|((?!")[^,]*)/y;
  for (let at = 0; at <= text.length; at = field.lastIndex + 1) {
    field.lastIndex = at;
    const match = field.exec(text);
    if (match === null) return undefined;
    fields.push(match[1] === undefined ? match[2]! : match[1].replaceAll('""', '"'));
  }
  return fields;
}
