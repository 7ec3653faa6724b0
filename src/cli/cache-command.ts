import { resolve } from 'node:path';
import { suggestion, usageError } from '../core/errors.ts';
import { addAll, addCommon, flag } from './flags.ts';
import type { Host } from './host.ts';
import type { CommandSpec } from './spec.ts';
import { type Flags, jsonFlag, still, wantsJson } from './surround.ts';

type CacheFlags = Flags & { readonly output?: string; readonly input?: string };

const actions = ['ls', 'export', 'import'] as const;
const forms = { export: 'tsbuild cache export ID -o FILE', import: 'tsbuild cache import ID -i FILE' };

export const cache: CommandSpec = {
  name: 'cache',
  summary: 'list, export and import cache mounts',
  define: (command) =>
    addCommon(
      addAll(
        command.usage('ls | export ID -o FILE | import ID -i FILE').argument('<action>').argument('[id]'),
        'Files:',
        [
          flag('-o, --output <file>', 'the tar to write; - is stdout'),
          flag('-i, --input <file>', 'the tar to read; - is stdin'),
          jsonFlag(),
        ],
      ),
    ),
  run: async (command, host) => {
    const flags = command.opts<CacheFlags>();
    const [word = '', id] = command.args;
    const action = actions.find((known) => known === word);
    if (action === undefined)
      throw usageError(
        `cache does not know '${word}'`,
        suggestion(word, actions) ?? 'It knows ls, export and import.',
      );
    const { exportMount, importMount, listMounts } = await import('../commands/cache.ts');
    const here = still(flags, host);
    if (action === 'ls') await listMounts({ json: wantsJson(flags) }, here);
    else if (action === 'export') await exportMount(mountFile('export', [id, flags.output], host), here);
    else await importMount(mountFile('import', [id, flags.input], host), here);
    return 0;
  },
};

function mountFile(
  action: keyof typeof forms,
  [id, file]: readonly [string | undefined, string | undefined],
  host: Host,
): { readonly id: string; readonly file: string } {
  const form = `Write ${forms[action]}; tsbuild cache ls tells the ids.`;
  if (id === undefined) throw usageError(`cache ${action} names no cache mount`, form);
  if (file === undefined) throw usageError(`cache ${action} names no file`, form);
  if (file === '-' && host.isTerminal(action === 'export' ? 1 : 0))
    throw usageError('a tar is nothing for the terminal', form);
  return { id, file: file === '-' ? file : resolve(host.cwd, file) };
}
