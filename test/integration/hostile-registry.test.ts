import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BuildError } from '../../src/core/errors.ts';
import { hostileClient, login } from '../support/hostile-client.ts';
import { type Named, nameRegistries, publicName } from '../support/hostile-names.ts';
import { type Cargo, makeCargo, type Operation, operations } from '../support/hostile-operations.ts';
import { type HostileRegistry, startHostileRegistry } from '../support/hostile-registry/registry.mjs';
import { type NamedSwitches, switches } from '../support/hostile-registry/switches.mjs';

/** By switch and operation; what is not named is `right`. TSBUILD_TEST_WRITE=1 writes what was found, to be read. */
const expectedFile = new URL('../../testdata/registry/hostile.json', import.meta.url);
type Outcomes = Record<string, Record<string, string>>;
const expected = JSON.parse(readFileSync(expectedFile, 'utf8')) as Outcomes;

const folder = mkdtempSync(join(tmpdir(), 'hostile-registry-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.concurrent('a hostile registry', () => {
  let small: Cargo;
  let large: Cargo;
  let named: Named;
  beforeAll(async () => {
    named = await nameRegistries(join(folder, 'pem'));
    small = await makeCargo(join(folder, 'small'), 300_000);
    large = await makeCargo(join(folder, 'large'), 9 << 20);
  });

  afterAll(() => named.stop());

  it.each(switches.map((row) => [row.name, row] as const))('%s', async (_, row) => {
    const found = await Promise.all(
      Object.entries(operations).map(async ([name, operation]) => {
        const cargo = row.large && name.startsWith('push') ? large : small;
        return [name, await outcomeOf(row, operation, { cargo, named })] as const;
      }),
    );
    const others = Object.fromEntries(found.filter(([, outcome]) => outcome !== 'right'));
    if (process.env.TSBUILD_TEST_WRITE !== undefined) write(row.name, others);
    else expect(others).toEqual(expected[row.name] ?? {});
  });
});

function write(name: string, outcomes: Record<string, string>): void {
  if (Object.keys(outcomes).length === 0) delete expected[name];
  else expected[name] = outcomes;
  writeFileSync(expectedFile, `${JSON.stringify(expected, null, 2)}\n`);
}

it('is counted in its README', () => {
  const readme = readFileSync(new URL('../support/hostile-registry/README.md', import.meta.url), 'utf8');
  const [rows, ways] = [switches.length, Object.keys(operations).length];
  const others = Object.values(expected).flatMap((outcomes) => Object.values(outcomes));
  const isSoft = (outcome: string): boolean => ['sent', 'unverified', 'absent'].includes(outcome);
  const soft = others.filter(isSoft).length;
  const hard = Object.values(expected).filter((outcomes) => !Object.values(outcomes).every(isSoft)).length;
  expect(readme).toContain(
    `${ways} operations against each of the ${rows} switches, ${ways * rows} meetings`,
  );
  expect(readme).toContain(`${ways * rows - others.length} are right; ${soft} are right and`);
  expect(readme).toContain(`${others.length - soft}, of ${hard} switches, end in`);
});

async function outcomeOf(
  row: NamedSwitches,
  operation: Operation,
  { cargo, named }: { cargo: Cargo; named: Named },
): Promise<string> {
  const faults = [...(row.faults ?? []), ...(operation.faults ?? [])];
  const registry = await startHostileRegistry({ ...row, faults }, row.tls ? { tls: named.tls } : {});
  const client = hostileClient(registry, row, row.tls ? named.through(registry) : {});
  try {
    operation.before?.(registry, cargo);
    const meeting = { registry, client, cargo, folder };
    const outcome = await operation
      .run(meeting)
      .catch((error: unknown) => understood(error, { row, registry }));
    return leakOf(registry) ?? named.leak() ?? outcome;
  } finally {
    await client.close();
    await registry.stop();
  }
}

/** The code of an error for people: one that names a host and tells no secret. */
function understood(
  error: unknown,
  { row, registry: { hosts } }: { row: NamedSwitches; registry: HostileRegistry },
): string {
  if (!(error instanceof BuildError)) throw error;
  const text = `${error.message} ${error.hint ?? ''}`;
  // There the way inside must have been seen, and not merely have led nowhere.
  if (row.tls && !/ is not (followed|used)/.test(text)) return `followed: ${text}`;
  const isSecret = [login.password, login.identity, 'secret-signature', 'Bearer '].some((secret) =>
    text.includes(secret),
  );
  if (isSecret) return `a secret is told: ${text}`;
  const names = [publicName, ...Object.values(hosts).map(({ host }) => host)];
  const isNamed = names.some((name) => text.includes(name));
  return isNamed ? error.code : `${error.code} without a host: ${text}`;
}

/** Authorization went to the store, or a token to the token server. */
function leakOf({ hosts }: HostileRegistry): string | undefined {
  if (hosts.store.seen.some(({ headers }) => headers.authorization !== undefined))
    return 'the store got an Authorization';
  const isTold = hosts.tokens.seen.some(({ headers }) => headers.authorization?.startsWith('Bearer '));
  return isTold ? 'the token server got a token' : undefined;
}
