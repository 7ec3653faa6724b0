import type { Heredoc, RunInstruction } from '../types.ts';
import type { Step } from './facts.ts';
import { warn } from './scope.ts';
import { type ShellCommand, shellCommands } from './shell-commands.ts';
import { bodyRange } from './word-places.ts';

/** Shells whose scripts go on after a command that failed. */
const SHELLS = ['sh', 'bash', 'ash', 'dash', 'ksh', 'mksh', 'zsh', 'busybox'];

/** `NAME=value …` whose values run no command. */
const ASSIGNMENTS =
  /^(?:[A-Za-z_]\w*=(?:"(?:[^"`$\\]|\\.|\$(?!\())*"|'[^']*'|[^\s"'`$]|\$(?!\())*(?:\s+|$))+$/;

/** Commands that do not fail, or whose failure means nothing: what they do ends with the script. */
const SAFE = /^(?:echo|printf|true|:|umask|unset|shopt|alias|export|readonly|local|declare|set)(?:\s|$)/;

/** `set -e` in any of its spellings, or `-e` among the options of the shell. */
const ERREXIT = /(?:^|\s)(?:-[a-zA-Z]*e[a-zA-Z]*|-o\s*errexit|-[a-zA-Z]*o\s+errexit)(?=\s|$)/;

/** `RUN <<EOF` with several commands, of which one that fails before the last is not noticed. */
export function checkScript({ command }: RunInstruction, { reading, facts }: Step): void {
  if (command.form === 'exec') return;
  const [script, ...more] = command.heredocs;
  if (script === undefined || more.length > 0 || !isScript(command.text)) return;
  if (script.content.startsWith('#!') || !goesOn(facts.shell ?? ['/bin/sh', '-c'])) return;
  const unnoticed = unnoticedIn(script);
  if (unnoticed === undefined) return;
  const [line] = unnoticed.text.split('\n') as [string];
  warn(
    {
      rule: 'HeredocWithoutErrexit',
      text: `the script goes on when a command before its last fails, such as '${line.slice(0, 60)}'`,
      location: bodyRange(script, unnoticed.start, unnoticed.start + line.length),
      hint: 'Begin it with set -e, or join its commands with &&.',
    },
    reading,
  );
}

/** The whole command is the heredoc: else its words say what becomes of it. */
function isScript(text: string): boolean {
  return /^\d*<<-?\s*(["']?)[^\s"'<>|&;]+\1\s*$/.test(text.trim());
}

function goesOn([shell = '', ...options]: readonly string[]): boolean {
  const name = shell.slice(shell.lastIndexOf('/') + 1);
  return SHELLS.includes(name) && !ERREXIT.test(options.join(' '));
}

/** The first command that may fail without an end of the script, or undefined where there is none. */
function unnoticedIn({ content }: Heredoc): ShellCommand | undefined {
  const commands = shellCommands(content);
  for (const command of commands.slice(0, -1)) {
    const { text } = command;
    if (/^set\s/.test(text) && ERREXIT.test(text)) return undefined;
    if (!ASSIGNMENTS.test(text) && !SAFE.test(text) && !isHandled(text)) return command;
  }
  return undefined;
}

/** What says itself what happens when it fails, or only defines a function. */
function isHandled(command: string): boolean {
  return /\|\|/.test(command) || /^(?:trap|exit|exec|function)\b|^[\w-]+\s*\(\)/.test(command);
}
