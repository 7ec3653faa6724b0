import { afterEach, expect, it, vi } from 'vitest';
import { recordingHere } from '../../../builder/sandbox/ownership/probe.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

it('finds what can be recorded without a folder for temporary files', async () => {
  vi.stubEnv('TMPDIR', '/no-such-folder');
  const found = await recordingHere();
  expect(['all', 'files', 'nothing']).toContain(found.recording);
  expect(found.why ?? '').not.toContain('ENOENT');
});
