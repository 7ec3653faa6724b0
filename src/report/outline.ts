import { cleanLine } from './clean.ts';
import { formatTable } from './format.ts';

interface Outline {
  readonly name?: string;
  readonly description?: string;
  readonly args?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly description?: string;
  }[];
  readonly secrets?: readonly Named[];
  readonly ssh?: readonly Named[];
  readonly cache?: readonly { readonly id: string }[];
}

interface Named {
  readonly name: string;
  readonly required: boolean;
}

interface Target {
  readonly name?: string;
  readonly default?: boolean;
  readonly description?: string;
}

/** What `--call=outline` prints: the target, and a table for each kind of thing that its build takes. */
export function renderOutline({ name, description, args, secrets, ssh, cache }: Outline): string {
  const head = [
    ['TARGET:', name ?? '(default)'],
    ...(description === undefined ? [] : [['DESCRIPTION:', description]]),
  ];
  const required = (title: string, items: readonly Named[] = []) =>
    table(
      [title, 'REQUIRED'],
      items.map((item) => [item.name, item.required ? 'true' : '']),
    );
  return [
    clean(head),
    table(
      ['BUILD ARG', 'VALUE', 'DESCRIPTION'],
      (args ?? []).map((arg) => [arg.name, arg.value ?? '', arg.description ?? '']),
    ),
    required('SECRET', secrets),
    required('SSH', ssh),
    table(
      ['CACHE MOUNT'],
      (cache ?? []).map(({ id }) => [id]),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** What `--call=targets` prints: the stages that have a name, and the one that is built by default. */
export function renderTargets(targets: readonly Target[]): string {
  const shown = targets.filter((target) => target.name !== undefined || target.default);
  const rows = shown.map(({ name, default: isDefault, description = '' }) => {
    const label = [name ?? '', isDefault ? '(default)' : ''].filter((part) => part !== '').join(' ');
    return [label, description];
  });
  return table(['TARGET', 'DESCRIPTION'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : clean([head, ...rows]);
}

function clean(rows: readonly (readonly string[])[]): string {
  return formatTable(rows.map((row) => row.map((cell) => cleanLine(cell.replaceAll('\n', ' ')))));
}
