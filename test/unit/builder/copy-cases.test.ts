import { describe, expect, it } from 'vitest';
import { caseNames, checkCase, readCase } from './copy-case.ts';
import { FakeLayers, fakeScratch } from './fake-layers.ts';

describe('COPY, ADD and WORKDIR', () => {
  it('has a case for every rule', () => expect(caseNames.length).toBeGreaterThanOrEqual(60));

  it.each(caseNames)('%s', async (name) => {
    const layers = new FakeLayers();
    await checkCase(readCase(name), { layers: layers.asLayers(), scratch: fakeScratch });
  });
});
