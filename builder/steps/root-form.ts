import { readFileSync } from 'node:fs';
import { isOverlayRefusal } from '../sandbox/overlay-mount.ts';
import type { Engine } from '../sandbox/plan.ts';

/** What a step's root is: an overlay over the unpacked layers, or a full copy of what they make together. */
export type RootForm = 'overlay' | 'copy';

/** Chooses between them: overlays, until the kernel refuses the first; from then on copies. */
export class RootForms {
  readonly #store: string;
  readonly #say: (text: string) => void;
  #refused = false;

  /** `store` is the store's folder; `say` is told once, in a sentence, why copies are made. */
  constructor(store: string, say: (text: string) => void) {
    this.#store = store;
    this.#say = say;
  }

  /**
   * Does `work` with the form that the engine and the kernel can have; it is done once more where it turns out that an
   * overlay cannot.
   */
  async use<T>({ moves }: Pick<Engine, 'moves'>, work: (form: RootForm) => Promise<T>): Promise<T> {
    if (!this.#refused && moves !== true) {
      try {
        return await work('overlay');
      } catch (error) {
        if (!isOverlayRefusal(error)) throw error;
        if (!this.#refused) this.#say(sentence(this.#store));
        this.#refused = true;
      }
    }
    return await work('copy');
  }
}

function sentence(store: string): string {
  const type = fileSystemOf(store, readFileSync('/proc/self/mountinfo', 'utf8'));
  const lies = type === undefined ? '' : `, which lies on ${type}`;
  return `no overlay can be mounted in the store ${store}${lies}: RUN works in a full copy of its root, which takes time and room; --root with a folder on ext4, xfs, btrfs or tmpfs (a volume) spares that`;
}

/** The type of the file system that holds a path, by the text of mountinfo (proc(5)). */
export function fileSystemOf(path: string, mountinfo: string): string | undefined {
  let [best, type]: [string, string | undefined] = ['', undefined];
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const point = (before.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const holds = point === '/' || path === point || path.startsWith(`${point}/`);
    // Of mounts on the same point the last is the one that is seen.
    if (point !== '' && holds && point.length >= best.length) [best, type] = [point, after.split(' ')[0]];
  }
  return type;
}
