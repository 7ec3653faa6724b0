import type { Change } from '../../src/core/events.ts';
import type { Ingredients, StepBase } from '../../src/core/ingredients.ts';
import { textIn } from './past-builds.ts';

/** Whether a step stands on another image from outside. */
export function baseChanges(before: Ingredients, after: Ingredients): Change[] {
  if (layersOf(before) === layersOf(after)) return [];
  const [old, now] = [before.base, after.base];
  const name = now?.name ?? old?.name ?? '';
  const isOther = old?.name !== now?.name;
  const [was, is] = [shownBase(old, isOther), shownBase(now, isOther)];
  const values = was === is ? {} : { ...(was && { before: was }), ...(is && { after: is }) };
  return [{ what: 'base image', name, how: 'changed', ...values }];
}

/** The lowest step below that gave another layer, or is new, or is gone. */
export function belowChanges(before: Ingredients, after: Ingredients): Change[] {
  const [old, now] = [ownLayers(before), ownLayers(after)];
  const at = now.findIndex((layer, i) => layer !== old[i]);
  const place = at < 0 ? now.length : at;
  if (place === now.length && place === old.length) return [];
  return [belowChange(before.made, after.made, place)];
}

function belowChange(old: readonly string[], now: readonly string[], at: number): Change {
  const [was, is] = [old[at], now[at]];
  const isIn = (step: string, steps: readonly string[]) => steps.some((one) => textIn(one) === textIn(step));
  const what = 'layer below';
  if (is === undefined) return { what, name: was ?? '', how: 'removed' };
  if (was === undefined) return { what, name: is, how: 'added' };
  if (textIn(was) === textIn(is)) return { what, name: is, how: 'changed' };
  if (!isIn(was, now) && isIn(is, old)) return { what, name: was, how: 'removed' };
  if (!isIn(is, old) && isIn(was, now)) return { what, name: is, how: 'added' };
  return { what, name: is, how: 'changed' };
}

/** The layers of the base, where they count. */
function layersOf({ below, base }: Ingredients): string {
  return below.slice(0, base?.layers ?? 0).join(' ');
}

function ownLayers({ below, base }: Ingredients): readonly string[] {
  return below.slice(base?.layers ?? 0);
}

function shownBase(base: StepBase | undefined, named: boolean): string | undefined {
  if (base === undefined) return undefined;
  const digest = base.digest ?? base.id;
  if (!named) return digest;
  return digest === undefined ? base.name : `${base.name}@${digest}`;
}
