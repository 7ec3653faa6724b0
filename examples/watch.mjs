// Builds a folder and tells each step as it ends: node watch.mjs FOLDER [NAME]
import { BuildError, build } from 'tsbuild';

const [context = '.', name] = process.argv.slice(2);
const names = new Map();

try {
  const building = build({ context, ...(name !== undefined && { tags: [name] }) });
  for await (const event of building) {
    if (event.type === 'step-start') names.set(event.step, event.name);
    if (event.type === 'step-end') console.log(`${event.outcome.padEnd(6)} ${names.get(event.step)}`);
  }
  const { id } = await building;
  console.log(id);
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  const errors = error.errors ?? [error];
  for (const { location, message, hint } of errors) {
    const place = location === undefined ? '' : `${location.file}:${location.startLine}: `;
    console.error(`${place}${message}${hint === undefined ? '' : ` (${hint})`}`);
  }
  process.exitCode = 1;
}
