import { BuildError } from '../core/errors.ts';
import type { Mirror } from '../core/options.ts';
import type { Origin } from '../core/types.ts';
import { parseReference, type Reference, shortName } from '../oci/reference.ts';
import { isDockerHub } from './credentials.ts';
import type { RegistriesConf, RegistryRule } from './registries-conf.ts';

/** Where something is asked for. */
export interface Place extends Origin {
  /** Plain HTTP and any certificate will do. */
  readonly insecure: boolean;
  readonly isMirror: boolean;
}

/** What is known of registries besides their names. */
export interface Rules {
  readonly conf: RegistriesConf;
  /** Those of the command line: they come first. */
  readonly mirrors: readonly Mirror[];
}

/** What is pulled: a manifest by its tag or its digest, or a blob, which no mirror can give wrongly. */
export type Wanted = 'tag' | 'digest' | 'blob';

/**
 * The places of a repository, in the order in which they are asked: mirrors, and last its own, which a `location` may
 * have moved. One that is blocked is left to its mirrors. Fails with `denied` where it has none, and with `registry` on a
 * rule that leads nowhere.
 */
export function placesOf(written: Origin, wanted: Wanted, { conf, mirrors }: Rules): readonly Place[] {
  const name = plain(written);
  const rule = ruleFor(name, conf);
  const others = [
    ...givenMirrors(name, mirrors),
    ...(rule === undefined ? [] : listedMirrors(name, wanted, rule)),
  ];
  if (rule?.blocked && others.length > 0) return others;
  allow(rule);
  const moved = rule?.location ? move(name, lengthOf(rule.prefix, name)!, rule) : originOf(written);
  return [...others, { ...moved, insecure: rule?.insecure ?? false, isMirror: false }];
}

/** True where a registry, or all of a host (an empty repository), may be insecure. Fails with `denied` where it is blocked. */
export function mayBeInsecure(name: Origin, conf: RegistriesConf): boolean {
  const rule = ruleFor(plain(name), conf);
  allow(rule);
  return rule?.insecure ?? false;
}

/**
 * What a name means: as docker reads it, but for a short name with an alias, that. There is no search through registries:
 * a name means one image, whatever a registry answers.
 */
export function meaningOf(text: string, { aliases }: RegistriesConf): Reference {
  const written = parseReference(text);
  const short = shortName(text);
  const full = short === undefined ? undefined : aliases.get(short);
  if (!full) return written;
  const { host, repository } = parseReference(full);
  return { ...written, host, repository };
}

/** The name that rules are written for: a host has several, and none of them may lead past a rule. */
function plain({ host, repository }: Origin): Origin {
  const lower = host.toLowerCase().replace(/:443$/, '');
  return { host: isDockerHub(lower) ? 'docker.io' : lower, repository };
}

/** The rule with the longest prefix. */
function ruleFor(name: Origin, { rules }: RegistriesConf): RegistryRule | undefined {
  let best: { readonly rule: RegistryRule; readonly length: number } | undefined;
  for (const rule of rules) {
    const length = lengthOf(rule.prefix, name);
    if (length === undefined) continue;
    const isBetter =
      best === undefined ||
      length > best.length ||
      (length === best.length && rule.prefix.length > best.rule.prefix.length);
    if (isBetter) best = { rule, length };
  }
  return best?.rule;
}

function givenMirrors(name: Origin, mirrors: readonly Mirror[]): Place[] {
  return mirrors.flatMap(({ of, at }) => {
    const length = lengthOf(of, name);
    if (length === undefined) return [];
    const [, scheme, location = ''] = /^(?:(https?):\/\/)?(.*)$/.exec(at) ?? [];
    const moved = move(name, length, { location, source: '--registry-mirror' });
    return [{ ...moved, insecure: scheme === 'http', isMirror: true }];
  });
}

function listedMirrors(name: Origin, wanted: Wanted, { prefix, mirrors, source }: RegistryRule): Place[] {
  const length = lengthOf(prefix, name)!;
  return mirrors
    .filter(({ pulls }) => wanted === 'blob' || pulls === 'all' || pulls === `${wanted}-only`)
    .map(({ location, insecure }) => ({
      ...move(name, length, { location, source }),
      insecure,
      isMirror: true,
    }));
}

/** How many characters of `host/repository` a prefix stands for; undefined where it does not match. */
function lengthOf(prefix: string, name: Origin): number | undefined {
  const full = textOf(name);
  if (full === prefix || full.startsWith(`${prefix}/`)) return prefix.length;
  const host = name.host.replace(/:\d+$/, '');
  const isUnder = prefix.startsWith('*.') && host.endsWith(prefix.slice(1));
  return isUnder ? name.host.length : undefined;
}

function textOf({ host, repository }: Origin): string {
  return repository === '' ? host : `${host}/${repository}`;
}

function originOf({ host, repository }: Origin): Origin {
  return { host, repository };
}

function move(
  name: Origin,
  length: number,
  { location, source }: { readonly location: string; readonly source: string },
): Origin {
  const text = location + textOf(name).slice(length);
  try {
    const { host, repository } = parseReference(text);
    if (text.startsWith(`${host}/`)) return { host, repository };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
  }
  throw new BuildError('registry', `${source} leads ${textOf(name)} to "${text}", which is no image name`, {
    hint: 'A location begins with a host: registry.example.com/path.',
  });
}

function allow(rule: RegistryRule | undefined): void {
  if (!rule?.blocked) return;
  throw new BuildError('denied', `the registry ${rule.prefix} is blocked in ${rule.source}`, {
    hint: 'Name another image, or take "blocked" out there.',
  });
}
