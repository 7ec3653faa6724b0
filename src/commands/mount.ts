import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { whyNoRun } from '../../builder/sandbox/choose.ts';
import { machineOf } from '../../builder/sandbox/ladder.ts';
import { runMounted } from '../../builder/sandbox/mounted/run.ts';
import {
  overlayMount,
  type PathNames,
  plainNames,
  type SetupMount,
  ShortNames,
} from '../../builder/sandbox/overlay-mount.ts';
import type { Root } from '../../builder/sandbox/plan.ts';
import { canAssemble } from '../../builder/sandbox/program/assemble.ts';
import { holdCopy, planRoot } from '../../builder/steps/process-plan.ts';
import { RootForms } from '../../builder/steps/root-form.ts';
import { BuildError, errnoOf } from '../core/errors.ts';
import type { Place } from '../core/place.ts';
import type { Platform } from '../core/types.ts';
import { imageToUse } from './image-to-use.ts';
import { PassedSignals } from './passed-signals.ts';
import type { Surroundings } from './surroundings.ts';
import { openParts } from './wiring.ts';

export interface MountCommand {
  readonly name: string;
  readonly platform?: Platform;
  /** Absolute path of a folder that exists. */
  readonly folder: string;
  readonly args: readonly [string, ...string[]];
  /** Absolute. */
  readonly cwd: string;
  /** It may write to the image's files; what it wrote is dropped at its end. */
  readonly writable: boolean;
  /** One of our standard streams is a terminal: what is typed there to interrupt reaches the command by itself. */
  readonly terminal: boolean;
}

/**
 * Runs a command of this machine that sees an image's files in a folder, and nobody else does: they are mounted in a
 * namespace that ends with it. Gives its exit code. An image that is not in the store is pulled. Fails with `sandbox` where
 * nothing can be mounted.
 */
export async function mount(options: MountCommand, here: Surroundings): Promise<number> {
  checkPlace(here.place);
  const folder = folderOf(options.folder);
  await using parts = await openParts(here.root, here.registry, here.place, { emit: here.emit });
  const image = await imageToUse(options, parts, here);
  if (here.place.isolation === 'single') here.say(`warning: ${ownersUnseen}\n`);
  const forms = new RootForms(parts.store.root, (text) => here.say(`${text}\n`));
  return await forms.use({}, async (form) => {
    await using scratch = await parts.store.scratch();
    const around = { store: parts.store, scratch: scratch.path, signal: here.signal };
    await using copy = await holdCopy(form, image.layers, around);
    const { root } = await planRoot(image.layers, { ...around, copy });
    const names = namesFor(root, scratch.path);
    const env = Object.entries(here.env).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${value}`],
    );
    const plan = {
      names: names.folder,
      mount: mountOf(root, folder, names),
      readonly: !options.writable,
      process: { args: options.args, env, cwd: options.cwd },
    };
    using signals = new PassedSignals(options.terminal);
    const running = runMounted(plan, scratch.path, here.say);
    signals.passTo(running);
    return await running.ended;
  });
}

const ownersUnseen =
  'only one id exists here: all files of the image seem to be yours, whoever they belong to in it (`tsbuild doctor` tells how to have more)';

function checkPlace(place: Place): void {
  const { isolation } = place;
  if (isolation === 'none') throw whyNoRun(place, machineOf(place.uid), 'mount');
  if (isolation === 'chroot')
    throw new BuildError('sandbox', 'mount needs a mount namespace, which isolation `chroot` has not', {
      hint: 'Copy the files out instead: `tsbuild -o DIR`, from a Containerfile that says FROM this image.',
    });
  if (!canAssemble())
    throw new BuildError('sandbox', `mount knows no machine of the kind ${process.arch}`, {
      hint: 'It works on x86-64 and arm64.',
    });
}

/** Links are followed by now: the kernel would mount on the last one itself. */
function folderOf(path: string): string {
  try {
    const folder = realpathSync(path);
    if (statSync(folder).isDirectory()) return folder;
  } catch (error) {
    const why = errnoOf(error) === 'ENOENT' ? 'does not exist' : `cannot be used (${errnoOf(error)})`;
    throw new BuildError('not-found', `the folder ${path} ${why}`, {
      cause: error,
      hint: 'Make it first: the files are shown in a folder that exists.',
    });
  }
  throw new BuildError('not-found', `${path} is no folder`, { hint: 'Name a folder that exists.' });
}

function namesFor(root: Root, scratch: string): PathNames {
  if ('folder' in root) return { folder: scratch, of: (path) => path };
  return plainNames([root]) ?? new ShortNames(join(scratch, 'l'));
}

function mountOf(root: Root, target: string, names: PathNames): SetupMount {
  return 'folder' in root
    ? { kind: 'bind', source: root.folder, target, readonly: false }
    : overlayMount(root, target, names);
}
