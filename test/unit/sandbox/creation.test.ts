import { closeSync, constants, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { create } from '../../../builder/sandbox/ownership/creation.ts';
import { idsOf, Processes } from '../../../builder/sandbox/ownership/credentials.ts';
import { makeArena, type Notification } from '../../../builder/sandbox/ownership/notification.ts';
import { Peer } from '../../../builder/sandbox/ownership/peer.ts';
import { Records } from '../../../builder/sandbox/ownership/records.ts';
import { mknod } from '../../../src/sys/file.ts';

const arena = makeArena();

/** Nobody has made anything yet when it looks. */
class EarlyPeer extends Peer {
  override stateAt(): undefined {
    return undefined;
  }
}

/** open(path, O_CREAT | O_WRONLY, 0644) of this process, as another user. */
function open(path: string): unknown {
  const peer = new EarlyPeer(arena);
  peer.text = () => path;
  const user = { user: idsOf(1000), group: idsOf(1000), groups: [], keepsCapabilities: false };
  const call = {
    pid: process.pid,
    number: (index: number) => (index === 1 ? constants.O_CREAT | constants.O_WRONLY : 0o644),
    word: () => 0n,
    isWaiting: () => true,
    answerDescriptor: () => 'sent',
  } as unknown as Notification;
  const records = new Records(arena, peer, { known: [], overlaid: false });
  const step = { arena, peer, records, processes: new Processes(process.pid, user, peer.proc) };
  return create(call, step, { kind: 'file', path: 0, flags: 1, mode: 2 });
}

describe('what a supervisor makes for a process that is not root', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-creation-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('is a file of that name', () => {
    expect(open(join(folder, 'new'))).toBe('sent');
    expect(readdirSync(folder)).toEqual(['new']);
  });

  it('is nothing where a fifo has come meanwhile, which would be waited for', () => {
    const fifo = join(folder, 'fifo');
    mknod(fifo, 'fifo', { mode: 0o600 });
    // With a reader, opening it for writing would not wait, and this test neither.
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      expect(open(fifo)).toBe('continue');
    } finally {
      closeSync(reader);
    }
  });
});
