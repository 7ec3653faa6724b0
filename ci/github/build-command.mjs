import { inputLines, inputList, inputRawLines, inputSwitch, inputText } from './inputs.mjs';

/** How inputs become flags: those with a text, a switch, a value for each line, a value for each entry of a list. */
const texts = {
  ...{ call: '--call', file: '--file', network: '--network', 'shm-size': '--shm-size', sign: '--sign' },
  ...{ target: '--target', builder: '--builder' },
};
const switches = { load: '--load', 'no-cache': '--no-cache', pull: '--pull', push: '--push' };
const lines = {
  ...{ annotations: '--annotation', attests: '--attest', 'build-args': '--build-arg' },
  ...{ 'cache-from': '--cache-from', 'cache-to': '--cache-to', labels: '--label', ulimit: '--ulimit' },
};
const lists = {
  ...{ 'add-hosts': '--add-host', allow: '--allow', 'no-cache-filters': '--no-cache-filter' },
  ...{ platforms: '--platform', ssh: '--ssh', tags: '--tag' },
};
const attestations = { provenance: '--provenance', sbom: '--sbom' };

/** Every input that this action takes. */
export const inputNames = [
  ...[texts, switches, lines, lists, attestations].flatMap((table) => Object.keys(table)),
  ...['build-contexts', 'context', 'outputs', 'secrets', 'secret-envs', 'secret-files', 'github-token'],
  ...['flags', 'summary', 'version'],
];

/**
 * The words of `tsbuild` for the inputs, and the variables that it needs besides: each value is one word, whatever is in it,
 * and no secret is a word. Fails on an input that means nothing.
 */
export function buildCommand(env) {
  const context = inputText(env, 'context') || '{{defaultContext}}';
  const secrets = secretsOf(env, context);
  const args = [
    ...of(texts, (name) => [inputText(env, name)].filter((text) => text !== '')),
    ...Object.entries(switches).flatMap(([name, flag]) => (inputSwitch(env, name) ? [flag] : [])),
    ...of(lines, (name) => inputLines(env, name)),
    ...of(lists, (name) => inputList(env, name)),
    ...inputRawLines(env, 'outputs').map((value) => `--output=${value}`),
    ...inputLines(env, 'build-contexts').map((value) => `--build-context=${filledIn(value, env)}`),
    ...Object.entries(attestations).flatMap(([name, flag]) => attestationOf(inputText(env, name), flag)),
    ...secrets.flags,
    ...inputRawLines(env, 'flags').map(flagOf),
  ];
  return {
    args,
    context: filledIn(context, env),
    variables: secrets.variables,
    summary: inputSwitch(env, 'summary'),
  };
}

function of(table, valuesOf) {
  return Object.entries(table).flatMap(([name, flag]) => valuesOf(name).map((value) => `${flag}=${value}`));
}

function attestationOf(text, flag) {
  if (text === '' || /^false$/i.test(text)) return [];
  return [/^true$/i.test(text) ? flag : `${flag}=${text}`];
}

function flagOf(text) {
  if (/^-/.test(text) && text !== '--') return text;
  throw new Error(`a line of the input flags is no flag: '${text}'`);
}

/** This repository at the commit of the event; of a pull request what its merge would be. */
function defaultContext({ GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_REF = '', GITHUB_SHA }) {
  const at = GITHUB_REF.startsWith('refs/pull/') ? GITHUB_REF : GITHUB_SHA;
  return `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}.git#${at}`;
}

function filledIn(text, env) {
  return text.replace(/\{\{\s*defaultContext\s*\}\}/g, () => defaultContext(env));
}

/** Values go as variables of the command: neither its words nor a file hold them. */
function secretsOf(env, context) {
  const given = inputLines(env, 'secrets').map((text) => pairOf(text, 'secrets'));
  const token = inputText(env, 'github-token');
  const isOwn = context.includes('defaultContext') && !given.some(([id]) => id.startsWith('GIT_AUTH_'));
  const values = isOwn && token !== '' ? [...given, ['GIT_AUTH_TOKEN', token]] : given;
  const named = values.map(([id, value], at) => ({ id, value, variable: `TSBUILD_ACTION_SECRET_${at}` }));
  return {
    flags: [
      ...named.map(({ id, variable }) => secretFlag(id, `env=${variable}`)),
      ...pairs(env, inputList, 'secret-envs').map(([id, variable]) => secretFlag(id, `env=${variable}`)),
      ...pairs(env, inputLines, 'secret-files').map(([id, path]) => secretFlag(id, `src=${path}`)),
    ],
    variables: Object.fromEntries(named.map(({ variable, value }) => [variable, value])),
  };
}

function pairs(env, read, name) {
  return read(env, name).map((text) => pairOf(text, name));
}

/** A secret without a value is what a workflow of a fork gets: it is given, and empty. The text is not told. */
function pairOf(text, name) {
  const at = text.indexOf('=');
  if (at < 1) throw new Error(`a line of the input ${name} is not of the form ID=…`);
  return [text.slice(0, at).trim(), text.slice(at + 1)];
}

function secretFlag(id, source) {
  const fields = [`id=${id}`, source].map((field) => `"${field.replaceAll('"', '""')}"`);
  return `--secret=${fields.join(',')}`;
}
