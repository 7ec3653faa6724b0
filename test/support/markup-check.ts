/** Elements of HTML that have no end. */
const empty = new Set(['meta', 'br', 'input', 'link']);

/**
 * All that is wrong with the markup of a page that is to be strict: an element that is not closed, or closed by another's end;
 * an attribute that is not in quotes or comes twice; an `&` or `<` that is none of markup.
 */
export function faultsOf(page: string): string[] {
  const faults: string[] = [];
  const open: string[] = [];
  let last = 0;
  const text = page.replace(/^<!doctype html>\n/, '').replace(/(<(style|script)>)[\s\S]*?(<\/\2>)/g, '$1$3');
  for (const tag of text.matchAll(/<(\/?)([a-zA-Z][\w]*)((?:"[^"]*"|[^">])*)>/g)) {
    faults.push(...faultsOfText(text.slice(last, tag.index)));
    last = tag.index + tag[0].length;
    const [, slash, name = '', rest = ''] = tag;
    if (slash !== '') {
      const expected = open.pop();
      if (expected !== name) faults.push(`</${name}> closes <${expected}>`);
    } else {
      faults.push(...faultsOfAttributes(name, rest.replace(/\/$/, '')));
      if (!rest.endsWith('/')) open.push(name);
      else if (isHtml(name, open) && !empty.has(name)) faults.push(`<${name}/> is not closed in HTML`);
    }
  }
  faults.push(...faultsOfText(text.slice(last)), ...open.map((name) => `<${name}> is not closed`));
  return faults;
}

/** Within SVG any element may close itself. */
function isHtml(name: string, open: readonly string[]): boolean {
  return name !== 'svg' && !open.includes('svg');
}

function faultsOfText(text: string): string[] {
  return /[<>]|&(?!(amp|lt|gt|quot|#39);)/.test(text) ? [`no markup: ${text.slice(0, 80)}`] : [];
}

function faultsOfAttributes(name: string, text: string): string[] {
  const rest = text.replace(/\s+([\w-]+)(?:="([^"<]*)")?/g, '');
  const names = [...text.matchAll(/\s([\w-]+)(?==")/g)].map(([, attribute]) => attribute);
  const twice = new Set(names).size < names.length;
  return [
    ...(rest.trim() === '' ? [] : [`<${name}>: ${rest}`]),
    ...(twice ? [`<${name}>: an attribute twice: ${names}`] : []),
  ];
}
