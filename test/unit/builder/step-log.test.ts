import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StepLog } from '../../../builder/steps/step-log.ts';

describe('the log of a step', () => {
  let folder: string;
  let shown: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'step-log-'));
    shown = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function open(...secrets: Buffer[]): StepLog {
    return new StepLog(folder, '0/2', {
      emit: (event) => event.type === 'step-log' && shown.push(event.text),
      secrets,
    });
  }

  it('shows whole lines, the last one at the end, and keeps every byte', () => {
    using log = open();
    log.write('stdout', Buffer.from('one\ntw'));
    log.write('stdout', Buffer.from('o\nthr\xff', 'latin1'));
    expect(shown).toEqual(['one\n', 'two\n']);
    log.end();
    expect(shown.at(-1)).toBe('thr\ufffd\n');
    expect(readFileSync(log.file, 'latin1')).toBe('one\ntwo\nthr\xff');
  });

  it('shows a line without end in pieces', () => {
    using log = open();
    const chunk = Buffer.alloc(50_000, 'x');
    for (let i = 0; i < 10; i++) log.write('stdout', chunk);
    expect(shown).toHaveLength(5);
    expect(readFileSync(log.file)).toHaveLength(500_000);
    expect(log.tail.join('')).toHaveLength(500_000);
  });

  it.skipIf(!existsSync('/dev/full'))('goes on, and says so once, where the disk is full', () => {
    symlinkSync('/dev/full', join(folder, '0-2.log'));
    const notes: string[] = [];
    using log = new StepLog(folder, '0/2', {
      emit: (event) => event.type === 'note' && notes.push(event.text),
      secrets: [],
    });
    for (let i = 0; i < 2; i++) log.write('stdout', Buffer.from(`${i}\n`));
    expect(log.tail).toEqual(['0', '1']);
    expect(notes).toEqual([expect.stringContaining('ENOSPC')]);
  });

  it('shows and keeps no secret, on either stream', () => {
    using log = open(Buffer.from('hunter22\n'));
    log.write('stdout', Buffer.from('it is hunt'));
    log.write('stderr', Buffer.from('er22 hunt'));
    log.write('stdout', Buffer.from('er22\nhunter2'));
    log.end();
    expect(shown).toEqual(['it is ****\n', 'hunter2\n', 'er22 hunt\n']);
    expect(log.tail).toEqual(['it is ****', 'hunter2', 'er22 hunt']);
    expect(readFileSync(log.file, 'utf8')).not.toContain('hunter22');
  });

  it('keeps the last lines for an error', () => {
    using log = open();
    log.write('stderr', Buffer.from(Array.from({ length: 100 }, (_, i) => `${i}\n`).join('')));
    expect(log.tail[0]).toBe('80');
    expect(log.tail).toHaveLength(20);
  });
});
