import { describe, expect, it } from 'vitest';
import * as history from '../../../src/containerfile/history.ts';

const shell = (command: string): string[] => ['/bin/sh', '-c', command];

describe('history', () => {
  it('writes RUN with the ARGs in scope, each name once', () => {
    expect(history.runHistory([], shell('make all'))).toBe('RUN /bin/sh -c make all # buildkit');
    const args = [{ name: 'a', value: '1' }, { name: 'b' }, { name: 'a', value: '2' }];
    expect(history.runHistory(args, shell('x'))).toBe('RUN |2 a=2 b= /bin/sh -c x # buildkit');
    expect(history.runHistory([], ['/bin/true', 'a b'])).toBe('RUN /bin/true a b # buildkit');
  });

  it('writes COPY and ADD with parents, owner and mode only', () => {
    const paths = { sources: ['a', 'b'], heredocs: [], destination: '/d/' };
    expect(history.copyHistory('copy', paths)).toBe('COPY a b /d/ # buildkit');
    const parents = history.copyHistory('copy', paths, { parents: true, chown: '1' });
    expect(parents).toBe('COPY --parents --chown=1 a b /d/ # buildkit');
    const flags = { parents: false, chown: '1:2', chmod: '755' };
    expect(history.copyHistory('add', { ...paths, heredocs: ['E'] }, flags)).toBe(
      'ADD --chown=1:2 --chmod=755 a b <<E /d/ # buildkit',
    );
  });

  it('writes settings without the mark', () => {
    expect(history.workdirHistory('/app')).toBe('WORKDIR /app');
    expect(
      history.envHistory('env', [
        { name: 'a', value: '1 2' },
        { name: 'b', value: '' },
      ]),
    ).toBe('ENV a=1 2 b=');
    expect(history.envHistory('label', [{ name: 'l', value: 'x' }])).toBe('LABEL l=x');
    expect(history.argHistory([{ name: 'a', value: '' }, { name: 'b' }])).toBe('ARG a= b');
    expect(history.exposeHistory(['1234/udp', '2375/tcp'])).toBe('EXPOSE [1234/udp 2375/tcp]');
    expect(history.volumeHistory(['/a', '/b'])).toBe('VOLUME [/a /b]');
    expect(history.shellHistory(['/bin/bash', '-c'])).toBe('SHELL [/bin/bash -c]');
    expect(history.userHistory('me')).toBe('USER me');
    expect(history.stopsignalHistory('SIGINT')).toBe('STOPSIGNAL SIGINT');
    expect(history.maintainerHistory('Jo')).toBe('MAINTAINER Jo');
  });

  it('quotes commands as Go does', () => {
    expect(history.commandHistory('cmd', ['sh', '-c', 'x'])).toBe('CMD ["sh" "-c" "x"]');
    expect(history.commandHistory('entrypoint', [])).toBe('ENTRYPOINT []');
    const odd = 'a"b\\c\n\t\x07\x00\x7fé\u200b\u{1f600}\u{e0001} ';
    expect(history.commandHistory('cmd', [odd])).toBe(
      'CMD ["a\\"b\\\\c\\n\\t\\a\\x00\\x7fé\\u200b\u{1f600}\\U000e0001 "]',
    );
  });

  it('writes HEALTHCHECK with its times', () => {
    const test = ['CMD-SHELL', 'curl x'];
    expect(history.healthcheckHistory(test, { interval: 90e9, timeout: 5e8, retries: 3 })).toBe(
      'HEALTHCHECK {Test:[CMD-SHELL curl x] Interval:1m30s Timeout:500ms StartPeriod:0s StartInterval:0s Retries:3}',
    );
    expect(history.healthcheckHistory(['NONE'])).toContain('{Test:[NONE] Interval:0s');
  });
});
