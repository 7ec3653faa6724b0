// Bundles the command, the public API and the worker threads into dist/: one file each, for finding and reading many
// costs more than compiling one; and writes the man pages. `--types` also emits declarations for the public API.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Files named `*-worker.ts` are worker threads. */
const workers = ['src', 'builder', 'cache'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('-worker.ts'))
    .map((file) => `${folder}/${file}`),
);

/** What is large and most starts do without: files of their own, and of undici only what is used. */
const apart = {
  'report-page': `module.exports = require('./src/report/html/report-page.ts');`,
  undici: `Object.assign(require('undici/lib/dispatcher/dispatcher.js').prototype, require('undici/lib/api'));
    exports.Pool = require('undici/lib/dispatcher/pool.js');
    exports.ProxyAgent = require('undici/lib/dispatcher/proxy-agent.js');`,
  'dockerfile-ast': `module.exports = require('dockerfile-ast');`,
  'web-tree-sitter': `module.exports = require('web-tree-sitter');`,
  yaml: `module.exports = require('yaml');`,
  'sql.js': `module.exports = require('sql.js/dist/sql-wasm-inline.js');`,
  'cyclonedx-library': `exports.Enums = require('@cyclonedx/cyclonedx-library/Enums');
    exports.Models = require('@cyclonedx/cyclonedx-library/Models');
    exports.Serialize = require('@cyclonedx/cyclonedx-library/Serialize');
    exports.Spec = require('@cyclonedx/cyclonedx-library/Spec');
    exports.SPDX = require('@cyclonedx/cyclonedx-library/SPDX');`,
};

const setApart = {
  name: 'apart',
  setup: (steps) =>
    steps.onResolve(
      { filter: /^(undici|dockerfile-ast|sql\.js|web-tree-sitter|yaml|@cyclonedx\/.*)$|\/report-page\.ts$/ },
      ({ path, kind }) =>
        kind === 'dynamic-import'
          ? { path: `./${path.replace(/^.*\//, '').replace(/\.ts$/, '')}.js`, external: true }
          : undefined,
    ),
};

/** `import text from './x.css?raw'`: the file as text, made small; of TypeScript the JavaScript. */
const rawText = {
  name: 'raw',
  setup: (steps) => {
    steps.onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.slice(0, -'?raw'.length)),
      namespace: 'raw',
    }));
    steps.onLoad({ filter: /./, namespace: 'raw' }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, 'utf8'), {
        loader: extname(path).slice(1),
        format: 'iife',
        minify: true,
      });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.18',
  minifySyntax: true,
  minifyWhitespace: true,
  // The others are what the library for SBOMs tries to load for XML, and does without.
  external: ['koffi', 'xmlbuilder2', 'libxmljs2', 'ajv', 'ajv-formats', 'ajv-formats-draft2019'],
  define: { __TSBUILD_VERSION__: JSON.stringify(version) },
  logLevel: 'warning',
};

/** Node starts CommonJS sooner, and loads its own modules when they are asked for. */
const script = {
  ...common,
  format: 'cjs',
  define: { ...common.define, 'import.meta.url': '__here' },
  banner: { js: 'const __here=require("node:url").pathToFileURL(__filename).href;' },
  supported: { 'dynamic-import': false },
  plugins: [setApart],
};

// Built aside and then put in place, so that a failed build leaves the last good one.
const fresh = `dist.${process.pid}`;
mkdirSync(fresh);
writeFileSync(`${fresh}/package.json`, '{"type":"commonjs"}\n');
const scripts = {
  cli: 'src/start.ts',
  main: 'src/cli.ts',
  // Runs in the sandbox of a step.
  'small-shell': 'builder/debug/small-shell/small-shell.ts',
};
for (const file of workers) scripts[file.replace(/^.*\//, '').replace(/\.ts$/, '')] = file;
await Promise.all([
  build({ ...script, entryPoints: scripts, outdir: fresh }),
  build({ ...common, entryPoints: ['src/index.ts'], format: 'esm', outfile: `${fresh}/index.mjs` }),
  ...Object.entries(apart).map(([name, contents]) =>
    build({
      ...script,
      plugins: [rawText],
      stdin: { contents, resolveDir: root },
      outfile: `${fresh}/${name}.js`,
    }),
  ),
]);
stamp(`${fresh}/main.js`);
// The grammar of bake files, and what reads it.
for (const wasm of [
  'web-tree-sitter/web-tree-sitter.wasm',
  '@tree-sitter-grammars/tree-sitter-hcl/tree-sitter-hcl.wasm',
])
  copyFileSync(`node_modules/${wasm}`, `${fresh}/${wasm.replace(/^.*\//, '')}`);
await writeManual();
if (process.argv.includes('--types')) {
  const types = `${fresh}/types`;
  execFileSync('node_modules/.bin/tsc', ['-p', 'tsconfig.types.json', '--outDir', types], {
    stdio: 'inherit',
  });
  writeFileSync(`${types}/package.json`, '{"type":"module"}\n');
}
rmSync('dist', { recursive: true, force: true });
renameSync(fresh, 'dist');

/** Puts the digest of a script in front of it: by that, what the compiler made of it is found again (src/start.ts). */
function stamp(file) {
  const bytes = readFileSync(file);
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  writeFileSync(file, Buffer.concat([Buffer.from(`//${digest}\n`), bytes]));
}

/** Man pages, made from the definitions of the commands. */
async function writeManual() {
  const contents = `export { allCommands } from './src/cli/all-commands.ts';
    export { manualPages } from './src/cli/manual/pages.ts';`;
  const outfile = `${fresh}/manual.cjs`;
  await build({ ...script, stdin: { contents, resolveDir: root }, outfile });
  const { allCommands, manualPages } = createRequire(import.meta.url)(`${root}${outfile}`);
  rmSync(outfile);
  mkdirSync(`${fresh}/man/man1`, { recursive: true });
  for (const { file, text } of manualPages(allCommands)) writeFileSync(`${fresh}/man/man1/${file}`, text);
}
