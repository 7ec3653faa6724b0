import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take minutes, longest first; those that wait for a network early, beside one that computes. */
const longest = ['cases', 'own-image', 'places', 'cases-user', 'network', 'platforms'];

/** Long files start before short ones, so that no worker has one left when the others are done. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const projects = sorted.map(({ project }) => project.name);
    const order = (file: TestSpecification) => projects.indexOf(file.project.name);
    return sorted.sort((a, b) => order(a) - order(b) || rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const place = longest.findIndex((name) => moduleId.endsWith(`/e2e/${name}.test.ts`));
  return place < 0 ? longest.length : place;
}
