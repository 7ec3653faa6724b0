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
  StageNameCasing: 'Names of stages are read in lower case, and best written so',
  FromAsCasing: 'AS is written in the case of its FROM',
  NoEmptyContinuation:
    'An instruction that goes on over an empty line is easily misread, and may be refused one day',
  ConsistentInstructionCasing: 'Instructions are written in one case throughout a file',
  DuplicateStageName: 'A name stands for one stage',
  ReservedStageName: 'A stage is not named like something that FROM or --from knows already',
  JSONArgsRecommended: 'CMD and ENTRYPOINT as a list start the program itself, without a shell around it',
  MaintainerDeprecated: 'A label names the author of an image',
  UndefinedArgInFrom: 'Variables in FROM are declared by an ARG above the first stage',
  UndefinedVar: 'Variables are defined before they are used',
  WorkdirRelativePath:
    'The first WORKDIR of a stage is absolute, so that no base image decides where it leads',
  MultipleInstructionsDisallowed:
    'Of several CMD, ENTRYPOINT or HEALTHCHECK in a stage the last alone counts',
  LegacyKeyValueFormat: 'ENV and LABEL are written as name=value',
  RedundantTargetPlatform: 'A stage is built for $TARGETPLATFORM unless it says otherwise',
  FromPlatformFlagConstDisallowed: 'A stage for one platform alone says so in its name',
  SecretsUsedInArgOrEnv:
    'What ARG and ENV hold can be read from the image; RUN --mount=type=secret keeps secrets out of it',
  InvalidDefaultArgInFrom: 'The defaults of the ARGs in FROM name an image',
  CopyIgnoredFile: 'What the ignore file hides cannot be copied',
  InvalidDefinitionDescription:
    'A comment directly above an ARG or a stage describes it and begins with its name; an empty line parts other comments from it',
  ExposeProtoCasing: 'The protocol of a port is written in lower case',
  ExposeInvalidFormat: 'EXPOSE names ports of the container alone',
} as const;

/** Rules without a page: one of the reference's, and those on which the reference is silent. */
const undocumented = {
  InvalidBaseImagePlatform: 'A stage starts from an image for its own platform',
  UnusedBuildArg: 'A build arg is taken by an ARG',
  UnknownOwner: 'Names of --chown are known to the image',
  HeredocWithoutErrexit: 'A script of several commands stops at the first one that fails',
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
