import { usageError } from '../core/errors.ts';
import { addAll, addCommon, flag } from './flags.ts';
import { keepBytes } from './keep-bytes.ts';
import type { CommandSpec } from './spec.ts';
import { columnsOf, type Flags, jsonFlag, still, wantsJson } from './surround.ts';
import { parseDuration, parseSize } from './values.ts';

export const prune: CommandSpec = {
  name: 'prune',
  summary: 'free what nothing needs any more',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags]'), 'Removal:', [
        flag('-a, --all', 'also what only the cache knows'),
        flag('--everything', 'images and cache mounts too'),
        flag('--keep-storage <size>', 'stop once no more than this is left'),
        flag('--filter <until=time>', 'only what was not used for so long: until=48h'),
      ]),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & PruneFlags>();
    const { keepStorage, filter } = flags;
    const { prune } = await import('../commands/prune.ts');
    const options = {
      all: flags.all ?? false,
      everything: flags.everything ?? false,
      ...(keepStorage !== undefined && { keepBytes: parseSize('--keep-storage', keepStorage) }),
      ...(filter !== undefined && { until: parseUntil(filter) }),
    };
    await prune(options, still(flags, host));
    return 0;
  },
};

export const du: CommandSpec = {
  name: 'du',
  summary: 'tell what the store takes up, and why it is kept',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags]'), 'Output:', [
        flag('-v, --verbose', 'list each thing, and why it is kept'),
        jsonFlag(),
      ]),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & { readonly verbose?: boolean }>();
    const { du } = await import('../commands/du.ts');
    const options = {
      json: wantsJson(flags),
      verbose: flags.verbose ?? false,
      keepBytes: keepBytes(host.env),
      columns: columnsOf(host),
    };
    await du(options, still(flags, host));
    return 0;
  },
};

export const doctor: CommandSpec = {
  name: 'doctor',
  summary: 'tell how RUN is isolated here, and what would better it',
  define: (command) => addCommon(addAll(command.usage('[flags]'), 'Output:', [jsonFlag()])),
  run: async (command, host) => {
    const flags = command.opts<Flags>();
    const { doctor } = await import('../commands/doctor.ts');
    return (await doctor({ json: wantsJson(flags) }, still(flags, host))) ? 0 : 1;
  },
};

interface PruneFlags {
  readonly all?: boolean;
  readonly everything?: boolean;
  readonly keepStorage?: string;
  readonly filter?: string;
}

/** Seconds from `until=48h`. */
function parseUntil(text: string): number {
  if (!text.startsWith('until='))
    throw usageError(`--filter '${text}' is not known`, 'Write --filter until=48h.');
  return parseDuration('--filter until', text.slice(6)) / 1000;
}
