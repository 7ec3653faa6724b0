import { describe, expect, it } from 'vitest';
import type { BuildEvent } from '../../../src/core/events.ts';
import { type FileWarning, isFileWarning, renderWarnings } from '../../../src/report/warnings.ts';

const text = 'FROM scratch\nCMD run\n';

function note(more: Partial<FileWarning>): FileWarning {
  const location = { file: 'Containerfile', startLine: 2, startColumn: 1, endLine: 2, endColumn: 8 };
  return { type: 'note', at: 1, level: 'warning', text: 'a text', location, ...more };
}

describe('warnings of a file', () => {
  it('are notes with a place', () => {
    const plain: BuildEvent = { type: 'note', at: 1, level: 'warning', text: 'x' };
    expect([isFileWarning(note({})), isFileWarning(plain), isFileWarning(note({ level: 'info' }))]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('are a line each; what nothing else explains says what to do', () => {
    const warnings = [
      note({ rule: 'Some', url: 'https://x', hint: 'Not here.' }),
      note({ hint: 'Do it.\x1b[2J' }),
    ];
    expect(renderWarnings(warnings)).toBe(
      '\n 2 warnings found (use --debug to expand):\n - Some: a text (line 2)\n - a text (line 2)\n   Do it.\n\n',
    );
    expect(renderWarnings([])).toBe('');
  });

  it('name their files where there are several', () => {
    const other = { file: 'b', startLine: 1, startColumn: 1, endLine: 1, endColumn: 2 };
    expect(renderWarnings([note({}), note({ location: other })])).toContain(
      ' - a text (Containerfile:2)\n - a text (b:1)\n',
    );
  });

  it('show what they are about where that is wanted', () => {
    const warning = note({ rule: 'Some', url: 'https://x', description: 'What it is', hint: 'Do it.' });
    expect(renderWarnings([warning], () => text)).toBe(
      [
        '',
        ' 1 warning found:',
        ' - Some: a text (line 2)',
        'What it is',
        'More info: https://x',
        'hint: Do it.',
        'Containerfile:2:1',
        '--------------------',
        '   1 |     FROM scratch',
        '   2 | >>> CMD run',
        '     |     ^^^^^^^',
        '--------------------',
        '',
        '',
      ].join('\n'),
    );
  });
});
