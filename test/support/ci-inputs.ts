import { readFileSync } from 'node:fs';
import { readYaml } from './docs-commands.ts';

type Table = Readonly<Record<string, unknown>>;

/** Inputs that a workflow of GitHub's or a pipeline of GitLab's gives to our action or component, and that these do not have. */
export function unknownInputs(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(unknownInputs);
  if (!isTable(value)) return [];
  const { uses, with: given, component, inputs } = value;
  const own = [
    ...(/\/tsbuild@/.test(String(uses)) ? missing(given, actionInputs()) : []),
    ...(/\/tsbuild\/build@/.test(String(component)) ? missing(inputs, componentInputs()) : []),
  ];
  return [...own, ...Object.values(value).flatMap(unknownInputs)];
}

function missing(given: unknown, known: Table): string[] {
  return isTable(given) ? Object.keys(given).filter((name) => !(name in known)) : [];
}

function actionInputs(): Table {
  const [action] = readYaml(readFileSync('action.yml', 'utf8')) as [{ readonly inputs: Table }];
  return action.inputs;
}

function componentInputs(): Table {
  const [head] = readYaml(readFileSync('templates/build.yml', 'utf8')) as [
    { readonly spec: { readonly inputs: Table } },
  ];
  return head.spec.inputs;
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null;
}
