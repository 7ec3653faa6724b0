import { describe, expect, it } from 'vitest';
import { checkCases, findingsOf } from './check-case.ts';

describe('what a check finds', () => {
  it.each(checkCases())('$name: $wanted.about', ({ name, wanted }) => {
    expect(findingsOf(name, wanted)).toEqual(wanted.findings);
  });
});
