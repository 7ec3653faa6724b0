import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BuildError } from '../../../src/core/errors.ts';
import { checkCases, checkText } from './check-case.ts';

const rules = [
  ...['StageNameCasing', 'FromAsCasing', 'NoEmptyContinuation', 'ConsistentInstructionCasing'],
  ...['DuplicateStageName', 'ReservedStageName', 'JSONArgsRecommended', 'MaintainerDeprecated'],
  ...['UndefinedArgInFrom', 'UndefinedVar', 'WorkdirRelativePath', 'MultipleInstructionsDisallowed'],
  ...['LegacyKeyValueFormat', 'InvalidBaseImagePlatform', 'RedundantTargetPlatform'],
  ...['FromPlatformFlagConstDisallowed', 'SecretsUsedInArgOrEnv', 'InvalidDefaultArgInFrom'],
  ...['CopyIgnoredFile', 'InvalidDefinitionDescription', 'ExposeProtoCasing', 'ExposeInvalidFormat'],
  ...['UnusedBuildArg', 'HeredocWithoutErrexit'],
];

describe('the rules', () => {
  it('each have a case in which they find something', () => {
    const found = checkCases().flatMap(({ wanted }) => wanted.findings);
    expect(rules.filter((rule) => !found.some((line) => line.includes(` ${rule}: `)))).toEqual([]);
  });

  it('are explained at the address that the reference gives them', () => {
    const { warnings } = checkText('FROM scratch\nCMD run\nADD a /b\nEXPOSE 80:80\nARG TOKEN\n');
    expect(warnings.map(({ rule, url }) => [rule, url])).toEqual([
      ['JSONArgsRecommended', 'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/'],
      ['ExposeInvalidFormat', 'https://docs.docker.com/go/dockerfile/rule/expose-invalid-format/'],
      ['SecretsUsedInArgOrEnv', 'https://docs.docker.com/go/dockerfile/rule/secrets-used-in-arg-or-env/'],
    ]);
  });

  it('keep the value of a build arg to themselves, and say what is near its name', () => {
    const { warnings } = checkText('ARG TOKENS\nFROM scratch', { buildArgs: { TOKEN: 'hunter2' } });
    expect(warnings).toMatchObject([{ rule: 'UnusedBuildArg', hint: 'Did you mean TOKENS?' }]);
    expect(JSON.stringify(warnings)).not.toContain('hunter2');
  });
});

describe('a check', () => {
  /** Texts made of the cases: lines swapped, dropped, doubled and cut, always in the same way. */
  function* mutations(count: number): Generator<string> {
    const texts = checkCases().map(({ name }) =>
      readFileSync(new URL(`../../../testdata/check/${name}/Containerfile`, import.meta.url), 'utf8'),
    );
    let seed = 42;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    for (let i = 0; i < count; i++) {
      const lines = `${texts[random(texts.length)]}${texts[random(texts.length)]}`.split('\n');
      for (let change = random(4); change >= 0; change--) {
        const at = random(lines.length);
        const line = lines[at]!;
        const cut = random(line.length + 1);
        lines[at] = [line.slice(cut), line.slice(0, cut), `${line}\n${line}`, `${line} \\`][random(4)]!;
      }
      yield lines.join('\n');
    }
  }

  it('never fails with anything but what it tells, whatever the file', () => {
    for (const text of mutations(2000)) {
      const { errors, warnings } = checkText(text);
      expect(errors.every((error) => error instanceof BuildError)).toBe(true);
      for (const { location } of [...errors, ...warnings]) {
        const place = location ?? { startLine: 1, startColumn: 1, endLine: 1, endColumn: 1 };
        expect(place.startLine).toBeGreaterThan(0);
        expect(place.startColumn).toBeGreaterThan(0);
        expect(place.endLine).toBeGreaterThanOrEqual(place.startLine);
      }
    }
  });
});
