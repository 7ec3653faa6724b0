import { capabilityNames } from '../core/capability-names.ts';
import { suggestion, usageError } from '../core/errors.ts';
import type { Rights } from '../core/options.ts';

export interface RightsFlags {
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly securityOpt?: readonly string[];
}

/** `--cap-add`, `--cap-drop` and `--security-opt`; nothing where all is as usual. Fails with `usage`. */
export function rightsOf({ capAdd, capDrop, securityOpt = [] }: RightsFlags): { readonly rights?: Rights } {
  const add = capabilities('--cap-add', capAdd);
  const drop = capabilities('--cap-drop', capDrop);
  const asked = securityOpt.map(securityOption);
  const rights: Rights = {
    ...(add.length > 0 && { add }),
    ...(drop.length > 0 && { drop }),
    ...(asked.includes('unfiltered') && { unfiltered: true }),
    ...(asked.includes('noNewPrivileges') && { noNewPrivileges: true }),
  };
  return Object.keys(rights).length === 0 ? {} : { rights };
}

/** `NET_ADMIN`, `cap_net_admin`, several with commas; sorted, so that the order in which they are written says nothing. */
function capabilities(flag: string, texts: readonly string[] = []): string[] {
  const names = texts.flatMap((text) => text.split(',')).map((text) => capability(flag, text.trim()));
  return [...new Set(names)].sort();
}

function capability(flag: string, text: string): string {
  const upper = text.toUpperCase();
  if (upper === 'ALL') return upper;
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (capabilityNames.includes(name)) return name;
  const hint = suggestion(name, capabilityNames) ?? `Write ${flag} NET_ADMIN, or ${flag} ALL.`;
  throw usageError(`${flag} '${text}' is no capability`, hint);
}

const form =
  'It takes seccomp=unconfined and no-new-privileges; apparmor=unconfined and label=disable say what is so anyway.';

/** One option, with `=` or, as docker once wrote it, with `:`. */
function securityOption(text: string): 'unfiltered' | 'noNewPrivileges' | 'usual' {
  const [, name = '', value = ''] = /^([^=:]*)[=:]?(.*)$/s.exec(text)!;
  if (name === 'no-new-privileges') return noNewPrivileges(value);
  if (name === 'seccomp') return seccomp(value);
  if ((name === 'apparmor' && value === 'unconfined') || (name === 'label' && value === 'disable'))
    return 'usual';
  if (name === 'apparmor' || name === 'label')
    throw usageError(`--security-opt ${text}: steps run without profiles and labels of their own`, form);
  throw usageError(`--security-opt '${text}' is not known`, form);
}

function noNewPrivileges(value: string): 'noNewPrivileges' | 'usual' {
  if (value === '' || value === 'true') return 'noNewPrivileges';
  if (value === 'false') return 'usual';
  throw usageError(`--security-opt no-new-privileges takes true or false, not '${value}'`, form);
}

function seccomp(value: string): 'unfiltered' | 'usual' {
  if (value === 'unconfined') return 'unfiltered';
  if (value === 'builtin') return 'usual';
  throw usageError(
    `--security-opt seccomp=${value}: profiles are not read`,
    "Steps have docker's filter; --cap-add opens what goes with a capability, and seccomp=unconfined opens all.",
  );
}
