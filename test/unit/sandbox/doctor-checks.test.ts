import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { attempt } from '../../../src/commands/doctor-attempt.ts';
import { checksFor } from '../../../src/commands/doctor-checks.ts';

it('reads what can be recorded past what Node warns of', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tsbuild-doctor-'));
  try {
    const script = `echo '(node:1) Warning' >&2; echo '{"recording":"all"}'`;
    const inBest = () => attempt(['sh', '-c', script]);
    const checks = await checksFor('single', { root, uid: process.getuid!(), inBest });
    expect(checks).toContainEqual({ name: 'owners', works: true, text: 'owners are recorded' });
  } finally {
    rmSync(root, { recursive: true });
  }
});
