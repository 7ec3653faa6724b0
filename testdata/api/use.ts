// What somebody else's program may write, and what it may not; only its types are checked.
import {
  BuildError,
  type BuildEvent,
  type BuildRequest,
  type Built,
  build,
  type Digest,
  type ErrorCode,
  type ExplainedStep,
  type Explanation,
  explain,
  push,
  type Running,
} from 'tsbuild';

const request: BuildRequest = {
  context: '.',
  tags: ['app'],
  buildArgs: { VERSION: '1' },
  secrets: [{ id: 'token', variable: 'TOKEN' }],
  noCache: ['builder'],
  isolation: 'single',
};

export async function everything(signal: AbortSignal): Promise<Digest> {
  const building: Running<Built> = build({ ...request, signal });
  for await (const event of building) tell(event);
  const { id, digest, metadata }: Built = await building;
  const pushed = await push({ name: id, destination: 'registry.example.com/app' });
  return digest === pushed.digest && Object.keys(metadata).length > 0 ? digest : id;
}

export async function reasons(build: string): Promise<readonly string[]> {
  const steps: readonly ExplainedStep[] = await explain({ build });
  return steps.flatMap(({ explanation }) => explanation?.changes.map(({ what }) => what) ?? []);
}

function tell(event: BuildEvent): void {
  switch (event.type) {
    case 'step-log':
      return console.log(event.step, event.text);
    case 'step-end':
      return console.log(event.outcome satisfies 'done' | 'cached' | 'failed' | 'cancelled');
    case 'explanation':
      return console.log((event.explanation satisfies Explanation).reason);
    default:
      return console.log(event.at.toFixed(0));
  }
}

export function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof BuildError ? error.code : undefined;
}

export const refused: readonly (() => unknown)[] = [
  // @ts-expect-error a context is needed
  () => build({ tags: ['app'] }),
  // @ts-expect-error there is no such flag
  () => build({ context: '.', tag: 'app' }),
  // @ts-expect-error a name is not a list
  () => build({ context: '.', tags: 'app' }),
  // @ts-expect-error this is no rung
  () => build({ context: '.', isolation: 'chrooot' }),
  // @ts-expect-error what happens is told, not changed
  (event: BuildEvent) => (event.at = 1),
];
