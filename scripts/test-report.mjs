// `npm run test:report`: installs Chromium where it is missing and may be, and looks at the pages of builds in it. The last
// line is `N passed, N failed, N skipped`; a failure makes the exit code 1.
import { join } from 'node:path';
import {
  checkNode,
  installCommand,
  installNpmPackages,
  installSystemPackages,
  root,
  show,
  withFolder,
} from './machine.mjs';
import { runProject } from './vitest-project.mjs';

const systemPackages = { chromium: 'chromium', busybox: 'busybox-static', unshare: 'util-linux' };

const sum = { passed: 0, failed: 0, skipped: 0 };

try {
  checkNode();
  installNpmPackages();
  const missing = installSystemPackages(systemPackages);
  if (missing.length > 0) throw new Error(`These packages are needed: ${installCommand(missing)}`);
  if (show([process.execPath, join(root, 'scripts/build.mjs')]) !== 0) throw new Error('The build failed.');
  await withFolder('tsbuild-results', (folder) => runProject('report', join(folder, 'report.json'), sum));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  sum.failed += 1;
}
console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
process.exitCode = sum.failed === 0 ? 0 : 1;
