import { resolve } from 'node:path';
import { usageError } from '../core/errors.ts';
import { addAll, addCommon, flag } from './flags.ts';
import type { CommandSpec } from './spec.ts';
import { type Flags, jsonFlag, still, wantsJson } from './surround.ts';

const ls: CommandSpec = {
  name: 'cache ls',
  summary: 'list cache mounts',
  define: (command) => addCommon(addAll(command.usage('[flags]'), 'Output:', [jsonFlag()])),
  run: async (command, host) => {
    const flags = command.opts<Flags>();
    const { listMounts } = await import('../commands/cache.ts');
    await listMounts({ json: wantsJson(flags) }, still(flags, host));
    return 0;
  },
};

const exportCommand: CommandSpec = {
  name: 'cache export',
  summary: 'write what a cache mount holds to a tar',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags] ID -o FILE').argument('<id>'), 'Output:', [
        flag('-o, --output <file>', 'the tar; - is stdout'),
      ]),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & { readonly output?: string }>();
    const file = flags.output ?? '-';
    if (file === '-' && host.isTerminal(1))
      throw usageError('a tar would go to the terminal', 'Add -o FILE, or send stdout to a file.');
    const { exportMount } = await import('../commands/cache.ts');
    const asked = { id: command.args[0]!, file: file === '-' ? file : resolve(host.cwd, file) };
    await exportMount(asked, still(flags, host));
    return 0;
  },
};

const importCommand: CommandSpec = {
  name: 'cache import',
  summary: 'fill a cache mount from a tar',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags] ID -i FILE').argument('<id>'), 'Input:', [
        flag('-i, --input <file>', 'the tar, compressed or not; - is stdin'),
      ]),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & { readonly input?: string }>();
    const file = flags.input ?? '-';
    if (file === '-' && host.isTerminal(0))
      throw usageError('no tar is named', 'Write tsbuild cache import ID -i FILE.');
    const { importMount } = await import('../commands/cache.ts');
    const asked = { id: command.args[0]!, file: file === '-' ? file : resolve(host.cwd, file) };
    await importMount(asked, still(flags, host));
    return 0;
  },
};

/** Cache mounts, apart from any build. */
export const cacheCommands: readonly CommandSpec[] = [ls, exportCommand, importCommand];
