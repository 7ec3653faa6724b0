// The registry: a strict one, made hostile by switches that are data.
import { refuse, reset, send, untilClosed } from './answers.mjs';
import { blob } from './blobs.mjs';
import { Body } from './body.mjs';
import { Faults } from './faults.mjs';
import { understand, wrongName } from './grammar.mjs';
import * as manifests from './manifests.mjs';
import { listen } from './server.mjs';
import { State } from './state.mjs';
import { Store } from './store.mjs';
import { Door } from './tokens.mjs';
import * as uploads from './uploads.mjs';

const operations = {
  ping: () => ({ status: 200, headers: { 'content-type': 'application/json' }, body: '{}' }),
  'blob-head': blob,
  'blob-get': blob,
  'upload-start': uploads.start,
  'upload-mount': uploads.mount,
  'upload-post': uploads.post,
  'upload-patch': uploads.patch,
  'upload-put': uploads.put,
  'upload-status': uploads.status,
  'upload-cancel': uploads.cancel,
  'manifest-head': manifests.get,
  'manifest-get': manifests.get,
  'manifest-put': manifests.put,
  referrers: manifests.referrers,
  tags: manifests.tags,
  unknown: () => refuse(405, 'UNSUPPORTED'),
};

/**
 * Starts a registry with a token server and a store on hosts of their own, all on loopback. Switches are `quirks` (how
 * the registry understands the protocol), `faults` (what goes wrong, see faults.mjs), `auth` (tokens.mjs) and `store` (store.mjs).
 * `keep: 'digests'` forgets the bytes of blobs; `tls: { cert, key }` serves all three over TLS; `port` is the registry's.
 */
export async function startHostileRegistry(switches = {}, { keep, tls, port } = {}) {
  const { quirks: some = {}, faults = [], auth = {}, store: storeQuirks = {} } = switches;
  const state = new State(keep);
  const trouble = new Faults(faults);
  const door = new Door(auth);
  const counts = new Map();

  const serve = (answer) => async (request, response, url) => {
    const { method, headers, socket } = request;
    const length = Number(headers['content-length'] ?? 0);
    const about = answer.about(method, url);
    const nth = count(counts, `${method} ${url.pathname}`);
    const fault = trouble.next({ ...about, length, nth }) ?? {};
    const onBytes = (bytes) => {
      if (about.op.startsWith('upload-')) state.received += bytes;
    };
    const body = new Body(request, { onBytes, resetAfter: fault.resetRequestAfter });
    const call = { ...about, method, url, headers, length, body, nth };
    if (fault.hangUp) return reset(socket);
    if (fault.stall) return untilClosed(socket);
    await send(response, await answered(call, fault, answer), fault);
  };

  /** Requests to one upload wait for each other: one that broke has ended before the next is heard. */
  const turns = new Map();
  const inTurn = async (call, answer) => {
    if (!call.op.startsWith('upload-') || call.name === '') return answer(call);
    const before = turns.get(call.name) ?? Promise.resolve();
    const now = before.then(() => answer(call));
    turns.set(
      call.name,
      now.catch(() => {}),
    );
    return now;
  };

  const ofRegistry = async (call) => {
    const wrong = wrongName(call);
    if (wrong !== undefined) return refuse(400, wrong);
    return (
      door.refusal(call, hosts) ??
      (await inTurn(call, (one) => operations[one.op](one, { state, quirks, store })))
    );
  };
  ofRegistry.about = understand;
  ofRegistry.challenge = (call) => door.challenge(call, hosts);
  const ofTokens = (call) => door.token(call);
  ofTokens.about = () => ({ op: 'token', repository: '', name: '' });
  /** The store also takes uploads, whose addresses other hosts may have. */
  const ofStore = (call) =>
    call.op === 'store'
      ? store.answer(call, { state, quirks })
      : operations[call.op](call, { state, quirks, store });
  ofStore.about = (method, url) =>
    url.pathname.startsWith('/v2/') ? understand(method, url) : { op: 'store', repository: '', name: '' };

  const servers = {
    registry: await listen(serve(ofRegistry), { tls, port }),
    tokens: await listen(serve(ofTokens), { tls }),
    store: await listen(serve(ofStore), { tls }),
  };
  const hosts = servers;
  const quirks = { ...some, hosts };
  const store = new Store(hosts.store.origin, storeQuirks);

  return {
    host: hosts.registry.host,
    origin: hosts.registry.origin,
    hosts,
    state,
    /** Scopes of every token that was asked for. */
    asked: door.asked,
    stop: async () => void (await Promise.all(Object.values(servers).map((server) => server.stop()))),
  };
}

async function answered(call, fault, answer) {
  if (fault.status === undefined) return answer(call);
  if (!fault.early) await call.body.drop();
  // A 401 says what the registry's own would.
  if (fault.status === 401 && fault.headers === undefined) return answer.challenge(call);
  return { status: fault.status, headers: fault.headers, body: fault.body };
}

function count(counts, key) {
  const next = (counts.get(key) ?? 0) + 1;
  counts.set(key, next);
  return next;
}
