import type { BuildEvent } from '../../core/events.ts';
import type { BuildFacts, ReportData, Span, StepReport, TransferReport } from './report-data.ts';

/** What events alone tell of a build: a report without logs, layers and texts. */
export type Story = Omit<ReportData, 'images' | 'sources'>;

type Event<T extends BuildEvent['type']> = Extract<BuildEvent, { type: T }>;

/** Folds a build's events, in their order, to its story. What has no end in them ends with the last one. */
export function storyOf(events: readonly BuildEvent[]): Story {
  const of = <T extends BuildEvent['type']>(type: T): Event<T>[] =>
    events.filter((event): event is Event<T> => event.type === type);
  const endedAt = events.reduce((latest, { at }) => Math.max(latest, at), 0);
  const spans = of('span');
  return {
    build: factsOf(of('build-start')[0], of('build-end').at(-1), { endedAt, steps: of('step-end') }),
    // A stage that turned out to have more steps is told again.
    stages: [
      ...new Map(of('graph').flatMap(({ stages }) => stages.map((stage) => [stage.id, stage]))).values(),
    ],
    steps: stepsOf({ starts: of('step-start'), ends: of('step-end'), spans }, of('explanation'), endedAt),
    transfers: transfersOf(of('transfer'), endedAt),
    spans: spans.filter(({ step }) => step === undefined).map(spanOf),
    warnings: of('note').filter(({ level }) => level === 'warning'),
  };
}

function factsOf(
  start: Event<'build-start'> | undefined,
  end: Event<'build-end'> | undefined,
  seen: { readonly endedAt: number; readonly steps: readonly Event<'step-end'>[] },
): BuildFacts {
  const { id = '', started = '', file = '', context = '', names = [], target } = start ?? {};
  const cached = seen.steps.filter(({ outcome }) => outcome === 'cached').length;
  const { outcome = 'interrupted', error, image, received = 0, sent = 0 } = end ?? {};
  return {
    ...{ id, started, file, context, names, outcome, cached, received, sent },
    steps: seen.steps.length,
    tookMs: end?.at ?? seen.endedAt,
    ...(target !== undefined && { target }),
    ...(error !== undefined && { error }),
    ...(image !== undefined && { image }),
  };
}

interface StepEvents {
  readonly starts: readonly Event<'step-start'>[];
  readonly ends: readonly Event<'step-end'>[];
  readonly spans: readonly Event<'span'>[];
}

/** A stage that starts again after its cache was lost tells of its steps twice: the last time counts. */
function stepsOf(
  { starts, ends, spans }: StepEvents,
  explanations: readonly Event<'explanation'>[],
  endedAt: number,
): StepReport[] {
  const [endOf, whyOf] = [byStep(ends), byStep(explanations)];
  const spansOf = grouped(spans, ({ step }) => step);
  return [...byStep(starts).values()].map((start) => {
    const found = endOf.get(start.step);
    const end = found !== undefined && found.at >= start.at ? found : undefined;
    const why = whyOf.get(start.step);
    return {
      ...beginning(start),
      ...ending(end, endedAt),
      spans: (spansOf.get(start.step) ?? []).filter(({ at }) => at >= start.at).map(spanOf),
      ...(why !== undefined && { explanation: why.explanation }),
    };
  });
}

function byStep<E extends { readonly step: string }>(events: readonly E[]): Map<string, E> {
  return new Map(events.map((event) => [event.step, event]));
}

/** `[builder 2/4] RUN make` is a place and what is done there. */
function beginning({ step, name, at, location }: Event<'step-start'>) {
  const [, place = step, text = name] = /^\[([^\]]*)\] (.*)$/s.exec(name) ?? [];
  const stage = step.slice(0, Math.max(0, step.lastIndexOf('/')));
  return { id: step, stage, place, text, startedAt: at, ...(location !== undefined && { location }) };
}

function ending(end: Event<'step-end'> | undefined, endedAt: number) {
  if (end === undefined) return { endedAt, outcome: 'interrupted' as const };
  const { at, outcome, error, bytes, diffId, base, log } = end;
  return {
    endedAt: at,
    outcome,
    ...(error !== undefined && { error }),
    ...(bytes !== undefined && { bytes }),
    ...(diffId !== undefined && { diffId }),
    ...(base !== undefined && { base }),
    ...(log !== undefined && { logFile: log }),
  };
}

function spanOf({ what, startedAt, at }: Event<'span'>): Span {
  return { what, startedAt, endedAt: at };
}

function transfersOf(events: readonly Event<'transfer'>[], endedAt: number): TransferReport[] {
  const groups = grouped(events, ({ id }) => id);
  return [...groups.values()].map((group) => {
    const [first, last] = [group[0]!, group.at(-1)!];
    return {
      name: last.name,
      startedAt: first.at,
      endedAt: last.state === 'running' ? endedAt : last.at,
      bytes: last.done,
      state: last.state,
      ...(last.way !== undefined && { way: last.way }),
    };
  });
}

function grouped<E, K>(events: readonly E[], keyOf: (event: E) => K): Map<K, readonly E[]> {
  const groups = new Map<K, E[]>();
  for (const event of events) {
    const key = keyOf(event);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [event]);
    else group.push(event);
  }
  return groups;
}
