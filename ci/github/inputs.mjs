/** The text of an input; empty where nothing was said. */
export function inputText(env, name) {
  return (env[`INPUT_${name.toUpperCase()}`] ?? '').trim();
}

/** Fails on what is neither true nor false. */
export function inputSwitch(env, name) {
  const text = inputText(env, name);
  if (/^true$/i.test(text)) return true;
  if (/^(?:false)?$/i.test(text)) return false;
  throw new Error(`the input ${name} is neither true nor false: '${text}'`);
}

/** Lines of an input; a quoted one may have line ends inside, and `""` stands for a quote there. */
export function inputLines(env, name) {
  return filled(recordsOf(inputText(env, name)).map((fields) => fields.join(',')));
}

/** Entries of an input, by line and comma. */
export function inputList(env, name) {
  return filled(recordsOf(inputText(env, name)).flat());
}

/** Lines as they stand, quotes too. */
export function inputRawLines(env, name) {
  return filled(inputText(env, name).split('\n'));
}

function filled(texts) {
  return texts.map((text) => text.trim()).filter((text) => text !== '');
}

/** Records of fields, as in CSV; a quote that does not begin a field is a letter. */
function recordsOf(text) {
  const records = [[]];
  const field = /(?:[ \t]*"((?:[^"]|"")*)"[ \t\r]*(?=,|\n|$)|([^,\n]*))(,|\n|$)/g;
  for (const [, quoted, bare, end] of text.matchAll(field)) {
    records.at(-1).push(quoted?.replaceAll('""', '"') ?? bare);
    if (end !== ',') records.push([]);
  }
  return records;
}
