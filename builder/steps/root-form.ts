import { readFileSync } from 'node:fs';
import { BuildError } from '../../src/core/errors.ts';
import { isRealRoot } from '../sandbox/id-maps.ts';
import { isOlderThan, overlayKernel } from '../sandbox/kernel.ts';
import { isOverlayRefusal } from '../sandbox/overlay-mount.ts';
import type { Engine } from '../sandbox/plan.ts';
import { mountOf } from '../sandbox/store-mount.ts';

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

/** Throws `sandbox` where no program of a copy could be started. */
function sentence(store: string): string {
  const here = mountOf(store, readFileSync('/proc/self/mountinfo', 'utf8'));
  const forbids = (flag: string): boolean => !isRealRoot() && here?.flags.includes(flag) === true;
  if (forbids('noexec')) throw noPrograms(store);
  const lies = here === undefined ? '' : `, which lies on ${here.type}`;
  const old = isOlderThan(overlayKernel) ? ` (this kernel is older than Linux ${overlayKernel})` : '';
  const unset = forbids('nosuid') ? ', and set-user-ID programs get no rights, for it is mounted nosuid' : '';
  return `no overlay can be mounted in the store ${store}${lies}${old}: RUN works in a full copy of its root, which takes time and room${unset}; --root with a folder on ext4, xfs, btrfs or tmpfs (a volume) spares that`;
}

function noPrograms(store: string): BuildError {
  return new BuildError(
    'sandbox',
    `no step can run in the store ${store}: no overlay can be mounted in it, and it is mounted noexec`,
    { hint: 'Name a folder on ext4, xfs, btrfs or tmpfs (a volume), or one mounted with exec, by --root.' },
  );
}
