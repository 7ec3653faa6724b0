import { resolve } from 'node:path';
import { usageError } from '../core/errors.ts';
import { addAll, addCommon, choice, flag } from './flags.ts';
import type { CommandSpec } from './spec.ts';
import { type Flags, still } from './surround.ts';
import { parseChoice } from './values.ts';

export const save: CommandSpec = {
  name: 'save',
  summary: 'write an image to an archive',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags] NAME -o FILE').argument('<name>'), 'Output:', [
        flag('-o, --output <file>', 'the file; - is stdout'),
        choice('--format <kind>', 'oci-archive (default) or docker-archive', [
          'oci-archive',
          'docker-archive',
        ]),
      ]),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & { readonly output?: string }>();
    const format = parseChoice('--format', flags.format ?? 'oci-archive', [
      'oci-archive',
      'docker-archive',
    ] as const);
    const dest = flags.output ?? '-';
    if (dest === '-' && host.isTerminal(1))
      throw usageError('an archive would go to the terminal', 'Add -o FILE, or send stdout to a file.');
    const { save } = await import('../commands/save.ts');
    const options = { name: command.args[0]!, format, dest: dest === '-' ? dest : resolve(host.cwd, dest) };
    await save(options, still(flags, host));
    return 0;
  },
};

export const load: CommandSpec = {
  name: 'load',
  summary: 'take the images of an archive into the store',
  define: (command) =>
    addCommon(
      addAll(command.usage('[flags] -i FILE'), 'Input:', [
        flag('-i, --input <file>', 'an archive or OCI layout folder; - is stdin'),
      ]),
    ),
  run: async (command, host) => {
    const flags = command.opts<Flags & { readonly input?: string }>();
    const input = flags.input ?? '-';
    if (input === '-' && host.isTerminal(0))
      throw usageError('no archive is named', 'Write tsbuild load -i FILE.');
    const { load } = await import('../commands/load.ts');
    await load({ source: input === '-' ? input : resolve(host.cwd, input) }, still(flags, host));
    return 0;
  },
};
