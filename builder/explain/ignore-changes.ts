import type { Change } from '../../src/core/events.ts';
import type { StepFacts } from '../../src/core/ingredients.ts';
import { compileIgnore } from '../context/ignore-patterns.ts';

type Ignore = StepFacts['ignore'];

/** The changes of files without those that an edited ignore file explains, which is told in their place. */
export function ignoreChanges(files: readonly Change[], before: Ignore, after: Ignore): Change[] {
  if (before?.text === after?.text) return [...files];
  const [wasHidden, isHidden] = [hiddenBy(before), hiddenBy(after)];
  const explains = ({ name, how }: Change) =>
    (how === 'added' && wasHidden(name)) || (how === 'removed' && isHidden(name));
  const left = files.filter((change) => !explains(change));
  if (left.length === files.length) return left;
  const name = after?.name ?? before?.name ?? '';
  const how = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return [{ what: 'ignore file', name, how }, ...left.filter((change) => change.name !== name)];
}

/** One that could not be read would have ended its build. */
function hiddenBy(ignore: Ignore): (path: string) => boolean {
  if (ignore === undefined) return () => false;
  const patterns = compileIgnore(ignore.text, ignore.name);
  return (path) => patterns.matches(path);
}
