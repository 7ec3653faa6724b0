import { describe, expect, it } from 'vitest';
import { SecretMask, SecretTexts } from '../../../builder/steps/secret-mask.ts';

/** The whole output, given in pieces of `size` bytes. */
function masked(secrets: readonly (string | Buffer)[], output: string | Buffer, size: number): string {
  const mask = new SecretMask(new SecretTexts(secrets.map((secret) => Buffer.from(secret))));
  const bytes = Buffer.from(output);
  const shown: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) shown.push(mask.push(bytes.subarray(at, at + size)));
  return Buffer.concat([...shown, mask.rest()]).toString('latin1');
}

const sizes = [1, 2, 3, 5, 7, 1000];

describe.each(sizes)('secrets in pieces of %i bytes', (size) => {
  it.each<[string, readonly (string | Buffer)[], string | Buffer, string]>([
    ['a whole value', ['hunter22'], 'it is hunter22!', 'it is ****!'],
    ['twice, touching', ['hunter22'], 'hunter22hunter22', '********'],
    ['an almost', ['hunter22'], 'hunter2 hunhunter22 hunt', 'hunter2 hun**** hunt'],
    ['without its last newline', ['token\n'], 'token\ntoken', '****\n****'],
    ['each line', ['one-line\ntwo-line\n'], 'two-line one-line', '**** ****'],
    ['all lines together, short ones too', ['one-line\nab\ntwo-line'], '<one-line\nab\ntwo-line>', '<****>'],
    ['a short line alone is none', ['one-line\nab\n'], 'ab one-line', 'ab ****'],
    ['indented lines', ['  {\n    "key": "value"\n  }'], '"key": "value"', '****'],
    ['a short value is none', ['abc'], 'abcabc', 'abcabc'],
    ['overlapping secrets', ['abcdef', 'defghi'], 'xabcdefghix', 'x****x'],
    ['one within another', ['password', 'my password is long'], 'my password is long password', '**** ****'],
    [
      'one that begins as another',
      ['secret', 'secret-and-more'],
      'secret secret-and-mor secret-and-more',
      '**** ****-and-mor ****',
    ],
    ['a value that overlaps itself', ['aaaa'], 'aaaaaaaaab', '****b'],
    [
      'binary',
      [Buffer.from([0, 255, 0, 254, 10, 7])],
      Buffer.from([1, 0, 255, 0, 254, 10, 7, 2]),
      '\x01****\x02',
    ],
    ['no secret', [], 'anything', 'anything'],
    ['an empty one', ['', '\n\n'], 'anything\n', 'anything\n'],
  ])('%s', (_, secrets, output, expected) => expect(masked(secrets, output, size)).toBe(expected));
});

it('does not hold back what cannot be a secret any more', () => {
  const mask = new SecretMask(new SecretTexts([Buffer.from('hunter22')]));
  expect(String(mask.push(Buffer.from('say hun')))).toBe('say ');
  expect(String(mask.push(Buffer.from('gry\n')))).toBe('hungry\n');
});
