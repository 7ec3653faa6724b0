import type { Emit, EventBody, StageShape } from '../core/events.ts';

type Of<T extends EventBody['type']> = Extract<EventBody, { type: T }>;

/** The story of several builds, told as that of one. */
export interface GroupStory {
  /** Tells what happens in one of them. */
  readonly emitFor: (name: string) => Emit;
  /** Tells the end of all; of several failures the first counts. */
  readonly end: (outcome: Of<'build-end'>['outcome']) => void;
}

/**
 * One begin, one picture of all stages and one end; steps and stages carry the name of their target in front, as
 * `[app builder 2/4]`. What happens before all have begun waits. Each build is remembered by itself: the story has the
 * id of the first one.
 */
export function groupStory(names: readonly string[], { context, emit }: Around): GroupStory {
  const begun = new Map<string, Of<'build-start'>>();
  const stages: StageShape[] = [];
  const said = new Set<string>();
  const sums = { steps: 0, cached: 0, received: 0, sent: 0 };
  let waiting: EventBody[] | undefined = [];
  let error: Of<'build-end'>['error'];
  const flush = (): void => {
    const held = waiting ?? [];
    waiting = undefined;
    if (begun.size > 0) emit(beginningOf([...begun.values()], context));
    if (stages.length > 0) emit({ type: 'graph', stages });
    for (const event of held) emit(event);
  };
  const pass = (event: EventBody): void => {
    if (waiting === undefined) emit(event);
    else waiting.push(event);
  };
  const tell = (name: string, event: EventBody): void => {
    count(event, sums);
    if (event.type === 'build-end') error ??= event.error;
    else if (event.type === 'graph') {
      const shapes = event.stages.map((stage) => named(name, stage));
      if (waiting === undefined) emit({ type: 'graph', stages: shapes });
      else stages.push(...shapes);
      if (waiting !== undefined && begun.size === names.length) flush();
    } else if (event.type === 'build-start') begun.set(name, event);
    else if (isNews(event, said)) pass(prefixed(name, event));
  };
  return {
    emitFor: (name) => (event) => tell(name, event),
    end: (outcome) => {
      if (waiting !== undefined) flush();
      if (begun.size > 0) emit({ type: 'build-end', outcome, ...(error && { error }), ...sums });
    },
  };
}

interface Around {
  /** The folder that the command works in. */
  readonly context: string;
  readonly emit: Emit;
}

function beginningOf(all: readonly Of<'build-start'>[], context: string): Of<'build-start'> {
  const [first] = all;
  return {
    ...first!,
    context,
    file: [...new Set(all.map(({ file }) => file))].join(', '),
    names: all.flatMap(({ names }) => names),
    steps: all.reduce((sum, { steps }) => sum + steps, 0),
  };
}

function count(event: EventBody, sums: Record<'steps' | 'cached' | 'received' | 'sent', number>): void {
  if (event.type === 'step-end') sums.steps++;
  if (event.type === 'step-end' && event.outcome === 'cached') sums.cached++;
  if (event.type !== 'transfer' || event.state !== 'done') return;
  if (event.way === 'in') sums.received += event.done;
  if (event.way === 'out') sums.sent += event.done;
}

/** What two builds say of the same file or machine is heard once. */
function isNews(event: EventBody, said: Set<string>): boolean {
  if (event.type !== 'note') return true;
  const key = JSON.stringify(event);
  if (said.has(key)) return false;
  said.add(key);
  return true;
}

function prefixed(name: string, event: EventBody): EventBody {
  if (event.type === 'step-start')
    return { ...event, step: `${name}/${event.step}`, name: event.name.replace(/^\[/, `[${name} `) };
  return 'step' in event && event.step !== undefined ? { ...event, step: `${name}/${event.step}` } : event;
}

function named(name: string, stage: StageShape): StageShape {
  return {
    ...stage,
    id: `${name}/${stage.id}`,
    name: `${name} ${stage.name}`,
    needs: stage.needs.map((need) => `${name}/${need}`),
    steps: stage.steps.map((step) => `${name}/${step}`),
  };
}
