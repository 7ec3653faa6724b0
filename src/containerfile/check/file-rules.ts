import type { Containerfile, FromInstruction, Instruction } from '../types.ts';
import type { Findings } from './findings.ts';

type Any = Instruction | FromInstruction;

/** Names that mean something else than a stage. */
const RESERVED = ['context', 'scratch'];

/** Rules over the file as it is written: no variable and no base changes what they find. */
export function checkFile(containerfile: Containerfile, findings: Findings): void {
  const { globals, stages } = containerfile;
  const inStages: Any[] = stages.flatMap(({ from, instructions }) => [from, ...instructions]);
  for (const instruction of [...globals, ...inStages]) {
    checkEmptyLines(instruction, findings);
    checkDescription(instruction, findings);
    if (instruction.kind === 'from') checkFrom(instruction, findings);
    if (instruction.kind === 'maintainer') warnOfMaintainer(instruction, findings);
  }
  checkNames(containerfile, findings);
  checkCasing(inStages, findings);
}

/** One finding for an instruction, at its first empty line. */
function checkEmptyLines({ emptyLines: [first], comments }: Any, findings: Findings): void {
  if (first === undefined) return;
  const hint = 'Remove the empty line, or make it a comment.';
  findings.warn({
    rule: 'NoEmptyContinuation',
    text: 'an empty line stands inside the instruction',
    location: first,
    hint,
    comments,
  });
}

function warnOfMaintainer({ range, comments }: Any, findings: Findings): void {
  const text = 'MAINTAINER is deprecated';
  const hint = 'Write LABEL org.opencontainers.image.authors="…" instead.';
  findings.warn({ rule: 'MaintainerDeprecated', text, location: range, hint, comments });
}

function checkFrom({ keyword, as, alias, comments }: FromInstruction, findings: Findings): void {
  if (as === undefined || alias === undefined) return;
  if (alias.text !== alias.text.toLowerCase()) {
    const text = `the stage name ${alias.text} has upper-case letters`;
    findings.warn({ rule: 'StageNameCasing', text, location: alias.range, comments });
  }
  const [from, written] = [keyword.text, as.text];
  const same = (isLower(from) && isLower(written)) || (isUpper(from) && isUpper(written)) || isMixed(from);
  if (same) return;
  const text = `${written} is written in another case than ${from}`;
  findings.warn({ rule: 'FromAsCasing', text, location: as.range, comments });
}

function checkNames({ stages }: Containerfile, findings: Findings): void {
  const seen = new Set<string>();
  for (const { name, from } of stages) {
    if (name === undefined) continue;
    const at = { location: from.alias?.range ?? from.range, comments: from.comments };
    const quoted = JSON.stringify(name);
    if (RESERVED.includes(name)) {
      const text = `the stage name ${quoted} has a meaning of its own`;
      findings.warn({ rule: 'ReservedStageName', text, ...at });
    }
    if (seen.has(name)) {
      const text = `the stage name ${quoted} is given twice, and means the last of them`;
      findings.warn({ rule: 'DuplicateStageName', text, ...at });
    }
    seen.add(name);
  }
}

/** Every keyword in the casing of most; upper case where both are as many. */
function checkCasing(instructions: readonly Any[], findings: Findings): void {
  const words = instructions.map(({ keyword }) => keyword.text);
  const toLower = words.filter(isLower).length > words.filter(isUpper).length;
  for (const { keyword, comments } of instructions) {
    const { text: name, range } = keyword;
    if (toLower ? isLower(name) : isUpper(name)) continue;
    const majority = toLower ? 'lower case' : 'upper case';
    const text = `${name} is written in another case than most instructions (${majority})`;
    findings.warn({ rule: 'ConsistentInstructionCasing', text, location: range, comments });
  }
}

/** A comment directly above an ARG or a named stage is taken for its description. */
function checkDescription(instruction: Any, findings: Findings): void {
  const names = namesOf(instruction);
  const last = instruction.comments.at(-1);
  if (names.length === 0 || last === undefined || last === '' || /^check\s*=/i.test(last)) return;
  if (names.includes(last.split(' ')[0]!)) return;
  const name = names.length > 1 ? '<arg_key>' : names[0];
  const kind = instruction.kind.toUpperCase();
  const text = `the comment above this ${kind} is no description: that begins with "# ${name}"`;
  const { range, comments } = instruction;
  findings.warn({ rule: 'InvalidDefinitionDescription', text, location: range, comments });
}

function namesOf(instruction: Any): readonly string[] {
  if (instruction.kind === 'arg') return instruction.args.map(({ name }) => name);
  return instruction.kind === 'from' && instruction.name !== undefined ? [instruction.name] : [];
}

function isLower(word: string): boolean {
  return word === word.toLowerCase();
}

function isUpper(word: string): boolean {
  return word === word.toUpperCase();
}

function isMixed(word: string): boolean {
  return !isLower(word) && !isUpper(word);
}
