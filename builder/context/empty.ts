import type { Context } from './context.ts';
import { memoryContext } from './memory.ts';

/** A context without files: what a Containerfile that came on stdin sees. */
export function emptyContext(): Context {
  return memoryContext([]);
}
