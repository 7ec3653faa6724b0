import { execFileSync } from 'node:child_process';

/** Worker threads and the command run from `dist/`, so it is built once before any test. */
export default function setup(): void {
  if (process.env.TSBUILD_TEST_NO_BUILD === '1') return;
  execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
}
