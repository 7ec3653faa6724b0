import { chmodSync, closeSync, openSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { giveTo } from '../../src/sys/owner-attribute.ts';
import type { AgentSession, SshAgent } from './ssh-agent.ts';
import { FAILURE, messagesIn, REQUEST_IDENTITIES, SIGN_REQUEST, string } from './ssh-wire.ts';

/** A socket that a step may use. */
export interface AgentListener extends AsyncDisposable {
  /** Absolute. */
  readonly path: string;
}

/** All that a step may ask for: neither keys nor locks of an agent are a build's to change. */
const ALLOWED = [REQUEST_IDENTITIES, SIGN_REQUEST];

/**
 * Offers an agent to a step by a socket of our own in `folder`: the person's own could not have the step's owner and
 * mode, and would let pass whatever it is asked.
 */
export async function listenForAgent(
  agent: SshAgent,
  folder: string,
  owner: { readonly mode: number; readonly uid: number; readonly gid: number },
): Promise<AgentListener> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    void serve(socket, agent).catch(() => socket.destroy());
  });
  const path = join(folder, 'agent');
  const opened = await listen(server, folder);
  const listener = { path, [Symbol.asyncDispose]: () => close(server, { open, opened }) };
  try {
    giveTo(path, owner);
    chmodSync(path, owner.mode);
    return listener;
  } catch (error) {
    await listener[Symbol.asyncDispose]();
    throw error;
  }
}

/** The address of a socket holds 107 bytes: the folder is named by its descriptor, which stays open meanwhile. */
async function listen(server: Server, folder: string): Promise<number> {
  const opened = openSync(folder, 'r');
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(`/proc/self/fd/${opened}/agent`, resolve);
    });
    return opened;
  } catch (error) {
    closeSync(opened);
    throw error;
  }
}

async function close(
  server: Server,
  { open, opened }: { readonly open: Iterable<Socket>; readonly opened: number },
): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  for (const socket of open) socket.destroy();
  await closed;
  closeSync(opened);
}

async function serve(socket: Socket, agent: SshAgent): Promise<void> {
  await using session = await agent.connect();
  for await (const request of messagesIn(socket)) socket.write(string(await replyTo(request, session)));
}

async function replyTo(request: Buffer, session: AgentSession): Promise<Buffer> {
  const allowed = ALLOWED.includes(request[0]!);
  return allowed ? await session.ask(request) : Buffer.from([FAILURE]);
}
