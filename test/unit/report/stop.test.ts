import { describe, expect, it } from 'vitest';
import { renderKept, renderStop } from '../../../src/report/stop.ts';

const place = {
  name: '[builder 2/4] RUN make\nall',
  location: { file: 'Containerfile', startLine: 12, startColumn: 1, endLine: 13, endColumn: 4 },
  user: '',
  workdir: '/src',
};

describe('what somebody reads where a build has stopped', () => {
  it('names what failed and what can be typed', () => {
    expect(renderStop({ ...place, failure: { exitCode: 2 } }, undefined)).toBe(`
| failed with exit code 2: [builder 2/4] RUN make all
| Containerfile:12, user root, folder /src
| the files are as the command left them
|   retry     run the command again, on the files that were there before it
|   continue  go on with the files as they are here; not cached
|   quit      end the build

`);
  });

  it('offers no continue where it is refused, and no retry before a step', () => {
    const failed = renderStop({ ...place, failure: { exitCode: 2 } }, 'because');
    expect(failed).not.toContain('continue');
    const before = renderStop({ ...place, user: 'app' }, 'because');
    expect(before).toBe(`
| stopped before [builder 2/4] RUN make all
| Containerfile:12, user app, folder /src
| what is changed here is dropped
|   continue  go on
|   quit      end the build

`);
  });

  it('shows nothing that would move a cursor, and of a long command the beginning', () => {
    const hostile = '\x1b[2J\x1b]0;title\x07';
    const shown = renderKept({
      ...place,
      name: `[1/2] RUN ${hostile}${'x'.repeat(500)}`,
      user: `${hostile}a\nb`,
      workdir: hostile,
      failure: { exitCode: 1 },
      build: '20261129-1',
      absent: [
        { type: 'secret', id: `s${hostile}` },
        { type: 'ssh', id: 'default' },
      ],
    });
    expect(shown).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
    expect(shown.split('\n')[1]).toMatch(/^\| failed with exit code 1: \[1\/2\] RUN x{40,}…$/);
    expect(shown.split('\n')[1]).toHaveLength(80);
    expect(shown).toContain('user a b, folder \n');
    expect(shown).toContain('| not there: the secret "s" (--secret id=s,src=FILE)\n');
    expect(shown).toContain('| not there: the ssh agent "default" (--ssh default)\n');
  });
});
