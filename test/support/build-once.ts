import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeTree } from './remove.ts';

/**
 * Worker threads and the command run from `dist/`, so it is built once before any test. What several test files
 * share (base images, the packed package) lies in one folder for the whole run, removed after the last test.
 */
export default function setup(): () => void {
  hideAuthorities();
  if (process.env.TSBUILD_TEST_NO_BUILD !== '1')
    execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
  if (process.env.TSBUILD_TEST_SHARED !== undefined) return () => {};
  // Short: podman refuses a folder of its own with more than 50 characters.
  const shared = mkdtempSync(join(tmpdir(), 'tsb-'));
  chmodSync(shared, 0o755);
  process.env.TSBUILD_TEST_SHARED = shared;
  process.env.TMPDIR = temporaryBelow(shared);
  return () => removeTree(shared);
}

/**
 * Node reads the authorities of NODE_EXTRA_CA_CERTS whenever it starts, which takes longer than the rest of its start. No
 * test needs them: what listens does so on loopback. Only npm does, to install the package (ordinary-user.ts).
 */
function hideAuthorities(): void {
  const { NODE_EXTRA_CA_CERTS: file } = process.env;
  if (file === undefined) return;
  process.env.TSBUILD_TEST_CA_CERTS = file;
  delete process.env.NODE_EXTRA_CA_CERTS;
}

/** Where tests put what they do not remove by themselves: it goes with the rest. */
function temporaryBelow(shared: string): string {
  const folder = join(shared, 'tmp');
  mkdirSync(folder);
  chmodSync(folder, 0o1777);
  return folder;
}
