// Builds several targets of one Containerfile, pushes them once all are made, and stops everything on Ctrl-C or when
// one fails: node release.mjs REPOSITORY VERSION TARGET…
import { build, push } from 'tsbuild';

const [repository, version, ...targets] = process.argv.slice(2);
const stopping = new AbortController();
process.once('SIGINT', () => stopping.abort(new Error('stopped by hand')));

const { signal } = stopping;
const together = async (works) => {
  try {
    return await Promise.all(works);
  } catch (error) {
    stopping.abort(error);
    throw error;
  }
};

const nameOf = (target) => `${repository}/${target}:${version}`;
const buildArgs = { VERSION: version };
await together(
  targets.map((target) => build({ context: '.', target, tags: [nameOf(target)], buildArgs, signal })),
);
const pushed = await together(targets.map((target) => push({ name: nameOf(target), signal })));
for (const [at, { digest }] of pushed.entries()) console.log(`${nameOf(targets[at])}@${digest}`);
