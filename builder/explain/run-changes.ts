import type { Change } from '../../src/core/events.ts';
import type { Ingredients } from '../../src/core/ingredients.ts';
import {
  changed,
  type Fields,
  fieldChanges,
  fieldsOf,
  isEqual,
  listOf,
  shownValue,
  valueChanges,
  wordChanges,
} from './field-changes.ts';
import { fileChanges, type ReadList } from './file-changes.ts';
import { mountChanges } from './mount-changes.ts';
import { variableChanges } from './variable-changes.ts';

const NAMES: Readonly<Record<string, string>> = {
  capAdd: 'granted capabilities',
  capDrop: 'withheld capabilities',
  hostname: 'host name',
  insecure: 'security mode',
  network: 'network',
  noNewPrivileges: 'new privileges',
  platform: 'platform',
  recording: 'recorded owners',
  seccomp: 'system-call filter',
  shm: 'size of /dev/shm',
  user: 'user',
  workdir: 'working directory',
};

/** What differs between two RUN steps of their own. */
export function runChanges(before: Ingredients, after: Ingredients, list: ReadList): Change[] {
  const [old, now] = [fieldsOf(before.content ?? before.first), fieldsOf(after.content ?? after.first)];
  const plain = fieldChanges(plainOf(old), plainOf(now), NAMES);
  const mounts = mountChanges(listOf(old.mounts), listOf(now.mounts));
  const variables = variableChanges(before, after, {
    platform: plain.some(({ what }) => what === 'platform'),
    agent: mounts.some(({ what }) => what === 'ssh agent'),
  });
  return [
    ...commandChanges(before, after),
    ...variables,
    ...plain,
    ...wordChanges('host', old.hosts, now.hosts),
    ...valueChanges('ulimit', old.ulimits, now.ulimits),
    ...mounts,
    ...(mounts.length > 0 ? [] : mountedChanges(before, after, list)),
  ];
}

/** Fields that are one value each. */
function plainOf(fields: Fields): Fields {
  const { step, command, env, hosts, ulimits, mounts, contents, reads, ...plain } = fields;
  const { platform, insecure } = plain;
  return {
    ...plain,
    insecure: insecure === true ? 'insecure' : 'sandbox',
    platform: listOf(platform).filter(Boolean).join('/'),
  };
}

function commandChanges(before: Ingredients, after: Ingredients): Change[] {
  const [old, now] = [commandOf(before), commandOf(after)];
  const shell = changed('shell', '', [shownValue(old.shell), shownValue(now.shell)]);
  const text = isEqual(old.words, now.words)
    ? []
    : changed('command', '', differingLines(old.text, now.text));
  const files = now.files === old.files ? [] : changed('heredoc', '', differingLines(old.files, now.files));
  return [...shell, ...text, ...files];
}

/** All that a RUN executes, its heredocs included; empty for other steps. */
export function commandText(step: Ingredients): string {
  const { text, files } = commandOf(step);
  return files === '' ? text : `${text}\n${files}`;
}

interface Command {
  readonly shell: readonly string[] | undefined;
  readonly words: readonly unknown[];
  readonly text: string;
  /** The contents of its heredocs that are files. */
  readonly files: string;
}

function commandOf({ first, content, facts }: Ingredients): Command {
  const { args, files } = fieldsOf(fieldsOf(content ?? first).command as never);
  const shell = facts.shell;
  const words = listOf(args).slice(shell?.length ?? 0);
  const contents = listOf(files).map((file) => String(listOf(file)[1] ?? ''));
  return { shell, words, text: words.map(String).join(' '), files: contents.join('\n') };
}

/** Of long texts, the first lines that differ. */
function differingLines(before: string, after: string): [string, string] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const at = now.findIndex((line, i) => line !== old[i]);
  const place = at < 0 ? now.length : at;
  return [(old[place] ?? '').trim(), (now[place] ?? '').trim()];
}

/** Files that mounts show. */
function mountedChanges(before: Ingredients, after: Ingredients, list: ReadList): Change[] {
  const [old, now] = [before, after].map(({ content, first }) => fieldsOf(content ?? first));
  const contents = listOf(now!.contents);
  return contents.flatMap((one, i) => {
    const was = fieldsOf(listOf(old!.contents)[i] as never);
    const is = fieldsOf(one as never);
    const from = after.facts.from?.[i] ?? undefined;
    return fileChanges({ before, after, files: [was.files, is.files], from }, list);
  });
}
