#!/usr/bin/env node
// `node cli.mjs [--port N] [--keep digests] [--switch NAME | --json FILE]`: a hostile registry on loopback until SIGINT or
// SIGTERM. The first line of stdout is JSON: the addresses, and the login where there is one. The last lines are the requests that
// each host saw, one JSON each. `--list` prints the switches.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startHostileRegistry } from './registry.mjs';
import { switches, switchesOf } from './switches.mjs';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    keep: { type: 'string', default: 'bytes' },
    switch: { type: 'string', default: 'strict' },
    json: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

if (values.list) for (const { name, about } of switches) console.log(`${name.padEnd(32)}${about}`);
else await run();

async function run() {
  const chosen =
    values.json === undefined ? switchesOf(values.switch) : JSON.parse(readFileSync(values.json, 'utf8'));
  const registry = await startHostileRegistry(chosen, { keep: values.keep, port: Number(values.port) });
  const { hosts, state } = registry;
  const { user, password, refreshToken } = chosen.auth ?? {};
  const addresses = { registry: hosts.registry.host, tokens: hosts.tokens.host, store: hosts.store.host };
  console.log(JSON.stringify({ ...addresses, user, password, refreshToken }));
  const stop = async () => {
    for (const [name, { seen }] of Object.entries(hosts))
      for (const request of seen) console.log(JSON.stringify({ to: name, ...request }));
    console.log(JSON.stringify({ received: state.received, blobs: state.blobs.size }));
    await registry.stop();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
}
