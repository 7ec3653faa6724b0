import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxBase } from '../support/base-images.ts';
import {
  applyEdit,
  type Edit,
  type ExplainedChange,
  explained,
  explainedChanges,
} from '../support/explained.ts';
import { type HttpServer, startHttpServer } from '../support/http-server.ts';
import { skip } from '../support/skips.ts';
import { loadBases, newTsbuild, type Tsbuild } from '../support/tsbuild.ts';

const busybox = 'localhost/tsbuild-test/busybox:1';
const { changes } = explainedChanges({ busybox });
const served = new Map<string, string>();

describe.skipIf(skip('explained changes', { programs: ['skopeo', 'busybox'] }))('explain', () => {
  let tsbuild: AsyncDisposable & Tsbuild;
  let server: HttpServer;
  beforeAll(async () => {
    tsbuild = await newTsbuild('root');
    server = await startHttpServer((request, response) => {
      response.end(served.get(request.url ?? '') ?? 'nothing');
    });
    await loadBases(tsbuild, [await busyboxBase()]);
  });
  afterAll(async () => {
    await server?.stop();
    await tsbuild?.[Symbol.asyncDispose]();
  });

  it.each(changes.map(({ about }) => about))('names %s, and nothing else', async (about) => {
    const table = explainedChanges({ busybox, server: server.origin });
    const one = table.changes.find((change) => change.about === about)!;
    await buildTwice(one, table.projects[one.project ?? ''] ?? {});
    const told = await explained(tsbuild);
    expect(told.map(([step]) => step)).toEqual(Object.keys(one.explains));
    for (const [step, clauses] of told)
      expect(clauses, step).toEqual(
        one.explains[step]!.map((clause) => expect.stringMatching(pattern(clause))),
      );
  });

  async function buildTwice(one: ExplainedChange, project: NonNullable<Edit['files']>): Promise<void> {
    const folder = join(tsbuild.folder, 'projects', one.about.replaceAll(/\W+/g, '-'));
    mkdirSync(folder, { recursive: true });
    applyEdit(folder, { files: project });
    for (const edit of [one, one.first ?? {}]) applyEdit(folder, edit);
    await build(folder, { ...one, ...one.first }, one);
    if (one.then === undefined) return;
    applyEdit(folder, one.then);
    await build(folder, { flags: one.flags ?? [], ...one.then }, one);
  }

  async function build(folder: string, edit: Edit, { fails = false }: ExplainedChange): Promise<void> {
    for (const [path, text] of Object.entries(edit.serve ?? {})) served.set(path, text);
    for (const command of edit.commands ?? []) await tsbuild.must(command, { cwd: folder });
    const { code, stderr } = await tsbuild.run(['build', ...(edit.flags ?? []), '.'], { cwd: folder });
    expect(code, stderr).toBe(fails ? 1 : 0);
  }
});

function pattern(clause: string): RegExp {
  const literal = clause.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${literal}$`);
}
