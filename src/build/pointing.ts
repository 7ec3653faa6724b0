import type { Containerfile } from '../containerfile/types.ts';
import { BuildError } from '../core/errors.ts';

/** Does the work; an error that says which word it is about then points at that word, not at its whole instruction. */
export async function pointing<T>(containerfile: Containerfile, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BuildError) || error.about === undefined) throw error;
    const file = error.location?.file ?? '';
    const text = file === containerfile.file ? containerfile.text : containerfile.included.get(file);
    if (error.location === undefined || text === undefined) throw error;
    const { finerRange } = await import('../containerfile/finer.ts');
    throw error.placedAt(await finerRange({ file, text }, error.location, error.about));
  }
}
