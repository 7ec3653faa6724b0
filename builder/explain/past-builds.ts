import type { Digest } from '../../src/core/digest.ts';
import type { BuildEvent, Explanation } from '../../src/core/events.ts';

/** A step of a build that is remembered. */
export interface PastStep {
  /** As people see it, without its place. */
  readonly text: string;
  readonly key: Digest;
  readonly contentKey?: Digest;
  readonly diffId?: Digest;
  readonly outcome: 'done' | 'cached' | 'failed' | 'cancelled';
  /** Why it ran then. */
  readonly explanation?: Explanation;
}

export interface PastStage {
  readonly name: string;
  readonly platform: string;
  /** All but FROM, in order; undefined stands for one of which nothing is known. */
  readonly steps: readonly (PastStep | undefined)[];
}

/** What events tell of the stages of a build. */
export function pastStages(events: readonly BuildEvent[]): PastStage[] {
  const texts = new Map<string, string>();
  const steps = new Map<string, PastStep>();
  const reasons = new Map<string, Explanation>();
  let shapes: readonly { readonly id: string; readonly name: string; readonly platform: string }[] = [];
  for (const event of events) {
    if (event.type === 'graph') shapes = event.stages;
    if (event.type === 'step-start') texts.set(event.step, textIn(event.name));
    if (event.type === 'explanation') reasons.set(event.step, event.explanation);
    if (event.type !== 'step-end' || event.key === undefined) continue;
    const { key, contentKey, diffId, outcome } = event;
    const explanation = reasons.get(event.step);
    const known = {
      ...(contentKey && { contentKey }),
      ...(diffId && { diffId }),
      ...(explanation && { explanation }),
    };
    steps.set(event.step, { text: texts.get(event.step) ?? '', key, outcome, ...known });
  }
  return shapes.map(({ id, name, platform }) => ({ name, platform, steps: stepsIn(id, steps) }));
}

/** The words of a step behind its place: `RUN make` of `[builder 2/4] RUN make`. */
export function textIn(name: string): string {
  return name.replace(/^\[[^\]]*\] /, '');
}

function stepsIn(stage: string, steps: ReadonlyMap<string, PastStep>): (PastStep | undefined)[] {
  const numbers = [...steps.keys()]
    .filter((id) => id.slice(0, id.lastIndexOf('/')) === stage)
    .map((id) => Number(id.slice(id.lastIndexOf('/') + 1)));
  return Array.from({ length: Math.max(1, ...numbers) - 1 }, (_, i) => steps.get(`${stage}/${i + 2}`));
}
