import { describe, expect, it } from 'vitest';
import { mountOf } from '../../../src/containerfile/mount.ts';
import { parse } from '../../../src/containerfile/parse.ts';
import { BuildError } from '../../../src/core/errors.ts';

const env = { NAME: 'deps', DIR: '/var/c', EMPTY: '', KIND: 'cache' };

function mount(value: string) {
  const [run] = parse(`FROM a\nRUN --mount=${value} x`, 'f').stages[0]!.instructions;
  if (run?.kind !== 'run') throw new Error('not a RUN');
  return mountOf(run.mounts[0]!, env, { escape: '\\' });
}

describe('mountOf', () => {
  it.each([
    ['target=/x', { type: 'bind', target: '/x', source: '/', readonly: true }],
    [
      'type=bind,dst=rel,src=sub,from=lib,rw',
      { type: 'bind', target: 'rel', source: 'sub', from: 'lib', readonly: false },
    ],
    ['destination=/x,readonly=false', { type: 'bind', target: '/x', source: '/', readonly: false }],
    ['target=/x,rw=0', { type: 'bind', target: '/x', source: '/', readonly: true }],
    [
      'type=CACHE,target=/c/./d/../',
      {
        type: 'cache',
        id: '/c',
        target: '/c/./d/../',
        sharing: 'shared',
        readonly: false,
        source: '/',
        mode: 0o755,
        uid: 0,
        gid: 0,
      },
    ],
    [
      'type=$KIND,id=$NAME,target=$DIR,sharing=Locked,from=base,source=/s,mode=1777,uid=1,gid=2,ro',
      {
        type: 'cache',
        id: 'deps',
        target: '/var/c',
        sharing: 'locked',
        readonly: true,
        from: 'base',
        source: '/s',
        mode: 0o1777,
        uid: 1,
        gid: 2,
      },
    ],
    ['type=tmpfs,target=/t', { type: 'tmpfs', target: '/t' }],
    ['type=tmpfs,target=/t,size=64m', { type: 'tmpfs', target: '/t', sizeBytes: 64 << 20 }],
    ['type=tmpfs,target=/t,size=1.5GiB', { type: 'tmpfs', target: '/t', sizeBytes: 1.5 * 2 ** 30 }],
    ['type=tmpfs,target=/t,size=1024', { type: 'tmpfs', target: '/t', sizeBytes: 1024 }],
    [
      'type=secret,id=key',
      { type: 'secret', id: 'key', target: '/run/secrets/key', required: false, mode: 0o400, uid: 0, gid: 0 },
    ],
    [
      'type=secret,id=a/key',
      {
        type: 'secret',
        id: 'a/key',
        target: '/run/secrets/key',
        required: false,
        mode: 0o400,
        uid: 0,
        gid: 0,
      },
    ],
    [
      'type=secret,target=/root/.npmrc,required,mode=0440,uid=7',
      { type: 'secret', id: '.npmrc', target: '/root/.npmrc', required: true, mode: 0o440, uid: 7, gid: 0 },
    ],
    [
      'type=secret,src=key,env=KEY',
      { type: 'secret', id: 'key', env: 'KEY', required: false, mode: 0o400, uid: 0, gid: 0 },
    ],
    [
      'type=secret,id=key,env=KEY,target=/k',
      { type: 'secret', id: 'key', env: 'KEY', target: '/k', required: false, mode: 0o400, uid: 0, gid: 0 },
    ],
    ['type=ssh', { type: 'ssh', id: 'default', required: false, mode: 0o600, uid: 0, gid: 0 }],
    [
      'type=ssh,id=hub,target=/agent,required,mode=0660,uid=5,gid=6',
      { type: 'ssh', id: 'hub', target: '/agent', required: true, mode: 0o660, uid: 5, gid: 6 },
    ],
    ['target=/x,from=', { type: 'bind', target: '/x', source: '/', readonly: true }],
  ])('%s', (value, expected) => expect(mount(value)).toEqual(expected));

  it.each([
    ['type=cahce,target=/x', 'unsupported mount type "cahce"', 'Did you mean cache?'],
    [
      'type=cache,target=/x,sharing=everyone',
      'unsupported sharing value "everyone"',
      'It is one of shared, private, locked.',
    ],
    ['type=cache,target=/x,sharing=share', 'unsupported sharing value "share"', 'Did you mean shared?'],
    [
      'required,type=secret,id=x',
      "unexpected key 'required' for mount type 'bind'",
      'type=secret before required',
    ],
    ['size=1m,type=tmpfs,target=/t', "unexpected key 'size' for mount type 'bind'", 'type=tmpfs before size'],
    ['target=/x,mode=0755', 'mode not allowed for "bind" type mounts', ''],
    ['type=tmpfs,target=/x,uid=1', 'uid not allowed for "tmpfs" type mounts', ''],
    ['target=/x,sharing=shared', 'invalid cache sharing set for bind mount', ''],
    ['target=/x,env=A', 'env not allowed for "bind" type mounts', ''],
    ['type=secret', 'invalid secret mount: one of source, target required', ''],
    ['type=secret,id=a,src=b', "both source and id can't be set", ''],
    ['type=secret,id=a,from=b', 'secret mount should not have a from', ''],
    ['type=cache,target=/x,mode=9', 'invalid value 9 for mode', 'octal'],
    ['type=cache,target=/x,uid=me', 'invalid value me for uid', ''],
    ['type=tmpfs,target=/x,size=big', 'invalid value for size: big', ''],
    ['target=/x,ro=maybe', 'invalid value for ro: maybe', ''],
    ['type=cache,target=/', 'invalid mount target "/"', ''],
    ['target=/a/..', 'invalid mount target "/a/.."', ''],
    ['type=ssh,source=/x', 'ssh does not support source', 'id=NAME'],
    ['type=ssh,from=x', 'ssh mount should not have a from', ''],
    ['type=ssh,sharing=locked', 'invalid cache sharing set for ssh mount', ''],
    ['type=secret,id=a,sharing=locked', 'invalid cache sharing set for secret mount', ''],
    ['type=cache,\\"target=/x', 'an option of --mount has a quote that does not end', 'A quote that begins'],
    ['type=cache,ttarget=/x', "unexpected key 'ttarget' in 'ttarget=/x'", 'Did you mean target?'],
    ['type=cache,nothing=1,target=/x', "unexpected key 'nothing' in 'nothing=1'", 'Keys are type, from'],
    ['type=cache,target', "invalid field 'target' must be a key=value pair", 'Write target=VALUE.'],
    ['type=cache,required,target=/x', "unexpected key 'required' for mount type 'cache'", ''],
    [`type=bind,target=\${NO:?gone}`, 'NO: gone', ''],
  ])('refuses %s', (value, message, hint) => {
    const error = caught(() => mount(value));
    expect(error).toMatchObject({ code: 'parse', location: { startLine: 2, startColumn: 13 } });
    expect(error.message).toContain(message);
    expect(error.hint ?? '').toContain(hint);
  });
});

function caught(work: () => unknown): BuildError {
  try {
    work();
  } catch (error) {
    if (error instanceof BuildError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
