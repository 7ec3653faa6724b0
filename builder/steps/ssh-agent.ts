import { closeSync, openSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import { messagesIn, string } from './ssh-wire.ts';

/** Something that signs with keys it does not give away. */
export interface SshAgent {
  /** Fails where the agent does not answer. */
  connect(): Promise<AgentSession>;
}

/** One conversation: a request, type first and without its length, has one reply. */
export interface AgentSession extends AsyncDisposable {
  ask(request: Buffer): Promise<Buffer>;
}

/** The agent that listens on a socket. */
export function agentAt(path: string): SshAgent {
  return {
    async connect() {
      const socket = await connected(path);
      const replies = messagesIn(socket);
      return {
        async ask(request) {
          socket.write(string(request));
          const reply = await replies.next();
          if (reply.done) throw new Error('the ssh agent is gone');
          return reply.value;
        },
        async [Symbol.asyncDispose]() {
          socket.destroy();
        },
      };
    },
  };
}

/** What the address of a socket holds, in bytes. */
const LONGEST_PATH = 107;

/** The folder of a path that is too long is named by a descriptor. */
async function connected(path: string): Promise<Socket> {
  if (Buffer.byteLength(path) <= LONGEST_PATH) return await connectedTo(path);
  const folder = openSync(dirname(path), 'r');
  try {
    return await connectedTo(`/proc/self/fd/${folder}/${basename(path)}`);
  } finally {
    closeSync(folder);
  }
}

function connectedTo(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path, () => resolve(socket));
    // Whoever reads is told of later errors; one that nobody waits for any more is no matter.
    socket.on('error', reject);
  });
}
