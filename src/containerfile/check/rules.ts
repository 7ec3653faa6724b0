/** A lint rule: its name in settings, what it is about, and where that is explained. */
export interface Rule {
  readonly name: string;
  /** One sentence, without a full stop. */
  readonly description: string;
  /** Absent for rules that have no page. */
  readonly url?: string;
  /** Applied only where the settings ask for it. */
  readonly experimental: boolean;
}

/** The rules of the reference, by name (§12). */
const documented = {
  StageNameCasing: 'Stage names should be lowercase',
  FromAsCasing: "The 'as' keyword should match the case of the 'from' keyword",
  NoEmptyContinuation: 'Empty continuation lines will become errors in a future release',
  ConsistentInstructionCasing:
    'All commands within the Dockerfile should use the same casing (either upper or lower)',
  DuplicateStageName: 'Stage names should be unique',
  ReservedStageName: 'Reserved words should not be used as stage names',
  JSONArgsRecommended:
    'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
  MaintainerDeprecated:
    'The MAINTAINER instruction is deprecated, use a label instead to define an image author',
  UndefinedArgInFrom: 'FROM command must use declared ARGs',
  UndefinedVar: 'Variables should be defined before their use',
  WorkdirRelativePath:
    'Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes',
  MultipleInstructionsDisallowed:
    'Multiple instructions of the same type should not be used in the same stage',
  LegacyKeyValueFormat: 'Legacy key/value format with whitespace separator should not be used',
  RedundantTargetPlatform:
    'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
  FromPlatformFlagConstDisallowed: 'FROM --platform flag should not use a constant value',
  SecretsUsedInArgOrEnv: 'Sensitive data should not be used in the ARG or ENV commands',
  InvalidDefaultArgInFrom: 'Default value for global ARG results in an empty or invalid base image name',
  CopyIgnoredFile: 'Attempting to Copy file that is excluded by .dockerignore',
  InvalidDefinitionDescription:
    'Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.',
  ExposeProtoCasing: 'Protocol in EXPOSE instruction should be lowercase',
  ExposeInvalidFormat:
    'IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release',
} as const;

/** Rules without a page: one of the reference's, and those on which the reference is silent. */
const undocumented = {
  InvalidBaseImagePlatform: 'Base image platform does not match expected target platform',
  UnusedBuildArg: 'Build arguments should be declared by an ARG',
  UnknownOwner: 'Names given to --chown should be known to the image',
  HeredocWithoutErrexit: 'A script of several commands should stop at the first one that fails',
} as const;

export type RuleName = keyof typeof documented | keyof typeof undocumented;

const experimental: readonly string[] = ['InvalidDefinitionDescription'];

/** What is known of a rule. */
export function ruleOf(name: RuleName): Rule {
  const rule = { name, experimental: experimental.includes(name) };
  if (isUndocumented(name)) return { ...rule, description: undocumented[name] };
  return { ...rule, description: documented[name], url: urlOf(name) };
}

function isUndocumented(name: RuleName): name is keyof typeof undocumented {
  return Object.hasOwn(undocumented, name);
}

function urlOf(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, '$1-$2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2');
  return `https://docs.docker.com/go/dockerfile/rule/${words.toLowerCase()}/`;
}
