// Runs a project of vitest.config.ts and counts what came of its tests.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, show } from './machine.mjs';

/** Runs a project; what it counts is added to `sum`. Its JSON report is written to the file `report`. */
export function runProject(project, report, sum) {
  console.log(`\n== ${project} tests`);
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`];
  const args = ['run', '--project', project, ...reporters];
  const env = { ...process.env, TSBUILD_TEST_NO_BUILD: '1', CI: '1', NO_COLOR: '1' };
  const code = show([join(root, 'node_modules/.bin/vitest'), ...args], { env });
  if (!existsSync(report)) {
    sum.failed += 1;
    return;
  }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  sum.passed += numPassedTests;
  sum.skipped += numPendingTests + numTodoTests;
  // A file that could not be loaded, or an error outside of any test, fails without a failed test.
  sum.failed += numFailedTests > 0 ? numFailedTests : code === 0 ? 0 : 1;
}
