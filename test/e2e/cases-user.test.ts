import { describe } from 'vitest';
import { casePrograms, checkCases } from '../support/case-checks.ts';
import { buildCases } from '../support/cases.ts';
import { skip } from '../support/skips.ts';

const needs = { root: true, programs: casePrograms };

describe.skipIf(skip('cases as an ordinary user', needs))('cases as an ordinary user', () => {
  checkCases(
    'user',
    buildCases().filter((one) => one.asUser === true),
  );
});
