import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

/** unit: one module, no privileges. integration: real programs. e2e: the built command. report: its pages. */
export default defineConfig({
  test: {
    globalSetup: ['test/support/build-once.ts'],
    pool: 'forks',
    // Part of the time they wait for a network or a disk: one more than the smallest machine has processors.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Tests of one file that say they may run together: one per processor of the smallest machine.
    maxConcurrency: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts', 'test/architecture.test.ts'] },
      },
      {
        extends: true,
        test: { name: 'integration', include: ['test/integration/**/*.test.ts'], testTimeout: 180_000 },
      },
      // Needs a browser: `npm run test:report` brings it.
      { extends: true, test: { name: 'report', include: ['test/report/**/*.test.ts'] } },
      { extends: true, test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: 300_000 } },
    ],
  },
});
