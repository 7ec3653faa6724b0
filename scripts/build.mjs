// Bundles the command, the public API and the worker threads into dist/, with shared chunks so that a
// start loads only what it needs. `--types` also emits declarations for the public API.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const { version, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Files named `*-worker.ts` are worker threads: each is an entry of its own in dist/. */
const workers = ['src', 'builder', 'cache'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('-worker.ts'))
    .map((file) => `${folder}/${file}`),
);
const mains = ['src/cli.ts', 'src/index.ts'].filter((file) => existsSync(file));
// Native or optional parts stay outside; everything else is bundled, so that one read finds it.
const external = ['koffi', ...Object.keys(optionalDependencies ?? {})];

// Built aside and then put in place, so that a failed build leaves the last good one.
const fresh = `dist.${process.pid}`;
await build({
  entryPoints: Object.fromEntries(
    [...mains, ...workers].map((f) => [f.replace(/^.*\//, '').replace(/\.ts$/, ''), f]),
  ),
  outdir: fresh,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.18',
  minifySyntax: true,
  minifyWhitespace: true,
  external,
  define: { __TSBUILD_VERSION__: JSON.stringify(version) },
  banner: {
    js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);",
  },
  logLevel: 'warning',
});
if (process.argv.includes('--types')) {
  execFileSync(
    'node_modules/.bin/tsc',
    [
      '-p',
      'tsconfig.json',
      '--noEmit',
      'false',
      '--declaration',
      '--emitDeclarationOnly',
      '--outDir',
      `${fresh}/types`,
    ],
    { stdio: 'inherit' },
  );
}
rmSync('dist', { recursive: true, force: true });
renameSync(fresh, 'dist');
