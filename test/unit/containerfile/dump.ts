import { parseAll } from '../../../src/containerfile/parse.ts';
import type { CommandLine, Instruction, Stage } from '../../../src/containerfile/types.ts';

/** What the parser made of a text, one JSON array a line, or its errors: short enough to write expected results by hand. */
export function dump(text: string): string[] {
  const { containerfile, errors } = parseAll(text, 'Containerfile');
  if (errors.length > 0) {
    return errors.map(({ location: at, message, hint }) => {
      const place = at && `${at.startLine}:${at.startColumn}-${at.endLine}:${at.endColumn}`;
      return `error ${place ?? 'nowhere'} ${message}${hint === undefined ? '' : ` | ${hint}`}`;
    });
  }
  const warnings = containerfile.warnings.map(
    ({ text: what, location }) => `warning ${location.startLine} ${what}`,
  );
  const lines = [...containerfile.globals.map(plain), ...containerfile.stages.flatMap(stageLines)];
  return [...warnings, ...lines.map((line) => JSON.stringify(line))];
}

function stageLines({ from, instructions, name }: Stage): unknown[] {
  const flags = (['platform', 'reset'] as const).flatMap((name) => {
    const word = from[name];
    return word === undefined ? [] : [`--${name}=${word.text}`];
  });
  return [
    ['from', ...flags, from.image.text, ...(name === undefined ? [] : [name])],
    ...instructions.map(plain),
  ];
}

/** An instruction as its keyword, its flags and its words. */
export function plain(one: Instruction): unknown[] {
  switch (one.kind) {
    case 'arg':
      return [
        'arg',
        ...one.args.map(({ name, value }) => (value === undefined ? name : `${name}=${value.text}`)),
      ];
    case 'env':
    case 'label':
      return [one.kind, ...one.pairs.flatMap(({ name, value }) => [name.text, value.text])];
    case 'run': {
      const flags = [one.network && `--network=${one.network}`, one.security && `--security=${one.security}`];
      const mounts = one.mounts.map(({ options }) => ({
        mount: options.map(({ key, value }) => [key, value ?? null]),
      }));
      return ['run', ...mounts, ...flags.filter((flag) => flag !== undefined), ...command(one.command)];
    }
    case 'copy':
    case 'add': {
      const words = (['from', 'chown', 'chmod', 'checksum'] as const).flatMap((name) => {
        const word = one[name];
        return word === undefined ? [] : [`--${name}=${word.text}`];
      });
      const heredocs = one.heredocs.map(({ range: _, written: _written, ...heredoc }) => heredoc);
      const switches = (['link', 'parents', 'optional'] as const).filter((name) => one[name]);
      const choices = (['keepGitDir', 'unpack'] as const).filter((name) => one[name] !== undefined);
      return [
        one.kind,
        ...words,
        ...switches.map((name) => `--${name}`),
        ...choices.map((name) => `--${name}=${one[name]}`),
        ...one.excludes.map(({ text }) => `--exclude=${text}`),
        ...one.sources.map(({ text }) => text),
        ...heredocs,
        one.destination.text,
      ];
    }
    case 'cmd':
    case 'entrypoint':
      return [one.kind, ...command(one.command)];
    case 'healthcheck': {
      if (one.check === undefined) return ['healthcheck', 'NONE'];
      const { command: line, ...times } = one.check;
      return ['healthcheck', times, ...command(line)];
    }
    case 'onbuild':
      return ['onbuild', one.trigger];
    case 'maintainer':
      return ['maintainer', one.name];
    case 'shell':
      return ['shell', one.args];
    default:
      return [one.kind, ...one.words.map(({ text }) => text)];
  }
}

function command(line: CommandLine): unknown[] {
  if (line.form === 'exec') return [line.args];
  return [line.text, ...line.heredocs.map(({ range: _, written: _written, ...heredoc }) => heredoc)];
}
