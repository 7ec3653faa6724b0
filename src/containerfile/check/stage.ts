import { BuildError } from '../../core/errors.ts';
import { mountOf } from '../mount.ts';
import { exposedPorts } from '../ports.ts';
import { checkSignal } from '../signals.ts';
import type {
  ArgInstruction,
  CommandInstruction,
  CopyInstruction,
  EnvInstruction,
  HealthcheckInstruction,
  Instruction,
  MountFlag,
  RunInstruction,
  Word,
  WordsInstruction,
} from '../types.ts';
import { argValues, pairValues, visibleIn } from '../variables.ts';
import { checkSources, type ReadWord } from './copy-rules.ts';
import type { Step } from './facts.ts';
import { checkScript } from './heredoc-rule.ts';
import { expandBody, expandIn, expandQuietly, placeOf, UNKNOWN, warn } from './scope.ts';
import { checkPorts, warnOfSecret } from './word-rules.ts';

/** Reads one instruction: what its words come to, and what is wrong or doubtful in it. */
export function readInstruction(instruction: Instruction, step: Step): void {
  switch (instruction.kind) {
    case 'arg':
      readArg(instruction, step);
      break;
    case 'env':
    case 'label':
      readPairs(instruction, step);
      break;
    case 'run':
      readRun(instruction, step);
      break;
    case 'copy':
    case 'add':
      readCopy(instruction, step);
      break;
    case 'cmd':
    case 'entrypoint':
      readCommand(instruction, step);
      break;
    case 'healthcheck':
      warnOfEarlier(instruction, step);
      break;
    case 'shell':
      step.facts.shell = instruction.args;
      break;
    case 'expose':
      readPorts(instruction, step);
      break;
    case 'workdir':
    case 'user':
    case 'volume':
    case 'stopsignal':
      readWords(instruction as WordsInstruction, step);
  }
}

function readArg(instruction: ArgInstruction, { reading, facts, check }: Step): void {
  const { scope } = reading;
  for (const { name, range } of instruction.args) warnOfSecret('ARG', { text: name, range }, reading);
  const values = argValues<typeof UNKNOWN>(instruction, {
    buildArgs: check.buildArgs,
    globalArgs: check.globalArgs,
    expand: (word, before) => {
      for (const [name, value] of visibleIn(before.slice(-1))) scope.set(name, value);
      return expandIn(word, reading);
    },
  });
  for (const [name, value] of visibleIn(values)) scope.set(name, value);
  for (const { name, value } of values) {
    scope.declared.add(name);
    facts.args.push({ name, instruction, ...(typeof value === 'string' && { value }) });
  }
}

function readPairs(instruction: EnvInstruction, { reading }: Step): void {
  const { kind, pairs, legacy, keyword } = instruction;
  if (legacy) {
    const name = keyword.text;
    const text = `${name} is written in its old form, without an equals sign`;
    warn({ rule: 'LegacyKeyValueFormat', text, location: pairs[0]!.name.range }, reading);
  }
  const values = pairValues(instruction, (word) => expandIn(word, reading));
  if (kind === 'label') return;
  for (const [i, { name, value }] of values.entries()) {
    if (name === UNKNOWN) continue;
    warnOfSecret('ENV', { text: name, range: pairs[i]!.name.range }, reading);
    reading.scope.set(name, value);
  }
}

function readRun(instruction: RunInstruction, step: Step): void {
  for (const flag of instruction.mounts) readMount(flag, step);
  if (!step.check.errexit) checkScript(instruction, step);
}

/** A mount whose values are all known is checked as a whole; else only its variables are. */
function readMount(flag: MountFlag, { reading, facts, check }: Step): void {
  const values = flag.options.flatMap(({ value }) => (value === undefined ? [] : [value]));
  const known = values.map((text) => expandIn({ text, range: flag.word.range }, reading));
  if (known.includes(UNKNOWN)) return;
  const request = reading.findings.attempt(placeOf(flag.word.range, reading), () =>
    mountOf(flag, reading.scope.vars, check),
  );
  if (request !== undefined) facts.mounts.push({ request, word: flag.word });
}

function readCopy(instruction: CopyInstruction, { reading, check }: Step): void {
  const { sources, destination, chown, chmod, checksum, excludes, heredocs } = instruction;
  const expanded = sources.map((word): ReadWord => ({ word, value: expandIn(word, reading) }));
  expandIn(destination, reading);
  for (const word of [chown, checksum, ...excludes]) if (word !== undefined) expandIn(word, reading);
  for (const heredoc of heredocs) if (heredoc.expand) expandBody(heredoc, reading);
  if (chmod !== undefined) checkMode(chmod, { reading, check });
  checkSources(instruction, expanded, { reading, check });
}

function checkMode(word: Word, { reading, check }: Pick<Step, 'reading' | 'check'>): void {
  const mode = expandIn(word, reading);
  if (mode === UNKNOWN || mode === '') return;
  reading.findings.attempt(placeOf(word.range, reading), () => check.checkMode(mode));
}

function readCommand(instruction: CommandInstruction, step: Step): void {
  warnOfEarlier(instruction, step);
  const { command, keyword, range } = instruction;
  if (command.form === 'exec' || step.facts.shell !== undefined) return;
  const text = `${keyword.text} goes through a shell, which takes the signals that are meant for the program`;
  warn({ rule: 'JSONArgsRecommended', text, location: range }, step.reading);
}

/** Of several only the last counts: the one above is told. */
function warnOfEarlier(
  instruction: CommandInstruction | HealthcheckInstruction,
  { reading, facts }: Step,
): void {
  const { kind, keyword } = instruction;
  const earlier = facts.last.get(kind);
  facts.last.set(kind, instruction);
  if (earlier === undefined) return;
  const text = `this ${keyword.text} has no effect: another one follows in the stage`;
  warn({ rule: 'MultipleInstructionsDisallowed', text, location: earlier.range }, reading);
}

function readWords({ kind, words }: WordsInstruction, { reading, facts }: Step): void {
  for (const word of words) {
    const value = expandIn(word, reading);
    if (value === UNKNOWN) continue;
    const place = placeOf(word.range, reading);
    if (kind === 'stopsignal') reading.findings.attempt(place, () => checkSignal(value));
    if (kind === 'volume') reading.findings.attempt(place, () => checkVolume(value));
    if (kind === 'workdir' && !facts.workdirSet && !value.startsWith('/')) {
      const text = `the relative path ${JSON.stringify(value)} starts from wherever the base image works`;
      warn({ rule: 'WorkdirRelativePath', text, location: word.range }, reading);
    }
  }
  if (kind === 'workdir') facts.workdirSet = true;
}

function readPorts({ words }: Pick<WordsInstruction, 'words'>, { reading }: Step): void {
  for (const word of words) {
    const value = expandQuietly(word, reading);
    if (value === UNKNOWN) continue;
    const ports = reading.findings.attempt(placeOf(word.range, reading), () => exposedPorts([value]));
    if (ports !== undefined) checkPorts(value, word, reading);
  }
}

function checkVolume(path: string): void {
  if (path !== '') return;
  throw new BuildError('parse', 'VOLUME specified can not be an empty string', {
    hint: 'Give its variable a value, or leave it out.',
  });
}
