import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';

/** Outputs of the action; those that a build did not come to are empty. */
export function setOutputs({ id = '', metadata }, { GITHUB_OUTPUT }) {
  if (!GITHUB_OUTPUT) return;
  const outputs = {
    imageid: id,
    digest: metadata['containerimage.digest'] ?? '',
    metadata: JSON.stringify(metadata, null, 2),
  };
  const texts = Object.entries(outputs).map(([name, value]) => {
    // Nobody who writes a value can know where it ends.
    const end = `end-${randomUUID()}`;
    return `${name}<<${end}\n${value}\n${end}\n`;
  });
  appendFileSync(GITHUB_OUTPUT, texts.join(''));
}

/** Ends the action with an error that its page shows. */
export function failWith(error) {
  const escapes = { '%': '%25', '\r': '%0D', '\n': '%0A' };
  const text = String(error.message ?? error).replace(/[%\r\n]/g, (letter) => escapes[letter]);
  console.log(`::error::${text}`);
  process.exitCode = 1;
}
