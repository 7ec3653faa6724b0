// Builds a folder, and tells of each step that ran why it was not in the cache: node why.mjs FOLDER
import { build, explain } from 'tsbuild';

const [context = '.'] = process.argv.slice(2);
const { build: id } = await build({ context });

for (const { name, explanation } of await explain({ build: id })) {
  if (explanation === undefined) continue;
  console.log(`${name}: ${explanation.reason}`);
  for (const { what, name, how, aspect, before, after } of explanation.changes) {
    const values = before !== undefined && after !== undefined ? ` from ${before} to ${after}` : '';
    console.log(`  ${what} ${name} ${how}${values}${aspect === undefined ? '' : ` (${aspect})`}`);
  }
  for (const advice of explanation.advice) console.log(`  ${advice}`);
}
