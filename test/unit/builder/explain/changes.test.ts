import { describe, expect, it } from 'vitest';
import { changesBetween } from '../../../../builder/explain/changes.ts';
import { type Digest, digestOf, type Framed } from '../../../../src/core/digest.ts';
import type { Ingredients, StepBase } from '../../../../src/core/ingredients.ts';
import { renderChange } from '../../../../src/report/explain.ts';

const base: StepBase = {
  name: 'alpine:3',
  digest: digestOf('1'),
  id: digestOf('i'),
  layers: 1,
  variables: ['PATH'],
};
const [one, two, own] = ['one', 'two', 'own'].map(digestOf) as [Digest, Digest, Digest];
const run = {
  step: 'run',
  command: { args: ['/bin/sh', '-c', 'make'], files: [] },
  env: [],
  mounts: [],
  hosts: [],
};
const copy = { step: 'copy', to: '/x/', link: false, heredocs: [], files: one };

function step(first: Framed, more: Partial<Ingredients> = {}): Ingredients {
  return { below: [], first, made: [], facts: {}, tops: {}, ...more };
}

function between(before: Ingredients, after: Ingredients): string[] {
  return changesBetween(before, after, () => undefined).map(renderChange);
}

function ofRun(
  before: { readonly [field: string]: Framed },
  after: { readonly [field: string]: Framed },
): string[] {
  return between(step({ ...run, ...before }), step({ ...run, ...after }));
}

describe('changes between steps', () => {
  it.each<[string, { [field: string]: Framed }, { [field: string]: Framed }, string[]]>([
    ['nothing', {}, {}, []],
    ['a field that is not known', { novel: [1] }, { novel: { a: 2 } }, ['novel: [1] → {"a":2}']],
    [
      'the order of variables',
      {
        env: [
          ['A', '1'],
          ['B', '2'],
        ],
      },
      {
        env: [
          ['B', '2'],
          ['A', '1'],
        ],
      },
      ['variables: order'],
    ],
    [
      'a hidden value',
      { env: [['KEY', '****', 'a1b2']] },
      { env: [['KEY', '****', 'ffff']] },
      ['variable KEY: **** → ****'],
    ],
    ['a variable that is gone', { env: [['A', '1']] }, {}, ['variable A: removed, was 1']],
    ['an empty value', { env: [['A', '']] }, { env: [['A', 'x']] }, ['variable A: "" → x']],
    ['a host that is gone', { hosts: ['db'] }, {}, ['host db: removed']],
    ['a limit that is new', { ulimits: [] }, { ulimits: ['core=0'] }, ['ulimit core: added, 0']],
    ['privilege', { insecure: false }, { insecure: true }, ['security mode: sandbox → insecure']],
    [
      'an agent, not the variable that comes with it',
      {},
      { mounts: [['ssh', 'default', '/run/a', 384, 0, 0]], env: [['SSH_AUTH_SOCK', '/run/a']] },
      ['ssh agent default: added'],
    ],
    [
      'where a secret lies',
      { mounts: [['secret', 's', '/run/secrets/s', null, 256, 0, 0]] },
      { mounts: [['secret', 's', '/s', null, 256, 0, 0]] },
      ['secret s: target, /run/secrets/s → /s'],
    ],
    [
      'the order of mounts',
      {
        mounts: [
          ['cache', '/a', false],
          ['cache', '/b', false],
        ],
      },
      {
        mounts: [
          ['cache', '/b', false],
          ['cache', '/a', false],
        ],
      },
      ['mounts: order'],
    ],
    [
      'a platform, not the arguments that follow',
      { platform: ['linux', 'amd64', null], env: [['TARGETARCH', 'amd64']] },
      { platform: ['linux', 'arm64', 'v8'], env: [['TARGETARCH', 'arm64']] },
      ['platform: linux/amd64 → linux/arm64/v8'],
    ],
    [
      'a heredoc with its own interpreter',
      {
        command: {
          args: ['/bin/sh', '-c', '/dev/pipes/E'],
          files: [['/dev/pipes/E', '#!/bin/sh\necho 1\n']],
        },
      },
      {
        command: {
          args: ['/bin/sh', '-c', '/dev/pipes/E'],
          files: [['/dev/pipes/E', '#!/bin/sh\necho 2\n']],
        },
      },
      ['heredoc: echo 1 → echo 2'],
    ],
  ])('name %s', (_, before, after, told) => {
    expect(ofRun(before, after)).toEqual(told);
  });

  it('name the base image, and not the variables that it sets', () => {
    const before = step(
      {
        ...run,
        env: [
          ['PATH', '/a'],
          ['A', '1'],
        ],
      },
      { below: [one, own], base, made: ['[2/2] RUN x'] },
    );
    const next = { ...base, digest: digestOf('2') };
    const after = step(
      {
        ...run,
        env: [
          ['PATH', '/b'],
          ['A', '1'],
        ],
      },
      { below: [two, own], base: next, made: ['[2/2] RUN x'] },
    );
    const [short, other] = [digestOf('1'), digestOf('2')].map((digest) => digest.slice(0, 19));
    expect(between(before, after)).toEqual([`base image alpine:3: ${short} → ${other}`]);
    const debian = step(run, { below: [two], base: { ...next, name: 'debian' } });
    expect(between(step(run, { below: [one], base }), debian)).toEqual([
      `base image debian: alpine:3@${short} → debian@${other}`,
    ]);
  });

  it('name what an image is by its configuration where it was in no registry, and nothing where that is not known', () => {
    const { digest: _, ...local } = base;
    const at = (below: Digest, id: string) =>
      step(run, { below: [below], base: { ...local, id: digestOf(id) } });
    expect(between(at(one, 'i'), at(two, 'j'))[0]).toMatch(
      /^base image alpine:3: sha256:\w{12} → sha256:\w{12}$/,
    );
    const files: StepBase = { name: 'docs', layers: 1, variables: [] };
    expect(
      between(step(run, { below: [one], base: files }), step(run, { below: [two], base: files })),
    ).toEqual(['base image docs: changed']);
  });

  it('name the lowest step below, only where nothing else differs', () => {
    const of = (below: Digest[], made: string[], words: Framed = run) => step(words, { below, made });
    const made = ['[2/4] RUN a', '[3/4] RUN b'];
    expect(between(of([one, two], made), of([own, two], made))).toEqual([
      'layer below [2/4] RUN a: made anew',
    ]);
    expect(between(of([one], made), of([two], made, { ...run, user: 'app' }))).toEqual(['user: added, app']);
    expect(between(of([one, two], made), of([two], ['[2/3] RUN b']))).toEqual([
      'layer below [2/4] RUN a: gone',
    ]);
    expect(between(of([two], ['[2/3] RUN b']), of([one, two], made))).toEqual([
      'layer below [2/4] RUN a: new',
    ]);
    expect(between(of([one], made), of([two], ['[2/4] RUN other']))).toEqual([
      'layer below [2/4] RUN other: made anew',
    ]);
    expect(between(of([one, two], made), of([one], ['[2/3] RUN a']))).toEqual([
      'layer below [3/4] RUN b: gone',
    ]);
  });

  it('name a commit, a download, and what was not asked for by them', () => {
    const added = (fetched: Framed, files: string, source: string) =>
      step(
        { words: { ...copy, step: 'add', files: undefined }, fetched: [fetched] },
        {
          content: { ...copy, step: 'add', files },
          facts: { sources: [source] },
        },
      );
    const repository = 'https://example.com/r.git#main';
    expect(between(added({ git: 'aaa' }, one, repository), added({ git: 'bbb' }, two, repository))).toEqual([
      `git commit ${repository}: aaa → bbb`,
    ]);
    const file = 'https://example.com/f';
    const changed = between(
      added({ http: one, mtime: 1 }, one, file),
      added({ http: two, mtime: 2 }, two, file),
    );
    expect(changed).toHaveLength(1);
    expect(changed[0]).toMatch(/^download https:\/\/example\.com\/f: sha256:\w{12} → sha256:\w{12}$/);
  });

  it('say what they can where lists are not kept', () => {
    const facts = { from: ['made'], sources: ['/out'] };
    const known = (files: string, from: string) =>
      step({ ...copy, from: [from], files: undefined }, { content: { ...copy, files }, facts });
    expect(between(known(one, 'a'), known(two, 'b'))).toEqual(['files made: changed']);
    const { content: _, ...first } = known(one, 'a');
    expect(between(first, known(two, 'b'))).toEqual(['files made: changed']);
  });

  it('name an instruction that became another one', () => {
    expect(between(step(copy), step({ ...copy, step: 'add' }))).toEqual(['instruction: copy → add']);
  });
});
