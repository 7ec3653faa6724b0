import { basename, dirname, resolve } from 'node:path';
import { targetName } from '../bake/compose/build-fields.ts';
import { definitionOf, type Project, readProject } from '../bake/compose/project.ts';
import type { Service } from '../bake/compose/service.ts';
import type { Definition, Group } from '../bake/definition.ts';
import { merge, type Settings } from '../bake/settings.ts';
import type { BakeFile } from '../bake/source.ts';
import { suggestion, usageError } from '../core/errors.ts';
import { composeSource, findComposeFiles, localFiles, readBakeFiles } from './bake-files.ts';

/** What `compose build` is told. */
export interface ComposeRequest {
  readonly files: readonly string[];
  readonly projectName?: string;
  /** Where paths start from, and `.env` lies; by default the folder of the first file. */
  readonly projectDirectory?: string;
  readonly envFiles?: readonly string[];
  readonly profiles: readonly string[];
  readonly services: readonly string[];
  /** Also what the named services need. */
  readonly withDependencies: boolean;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly warn: (text: string) => void;
  readonly onFile: (file: BakeFile) => void;
}

/** A project that is to be built. */
export interface ComposePlan {
  readonly definition: Definition;
  /** Absolute; paths of the project start from it. */
  readonly folder: string;
  /** Names of targets whose services name their image themselves: only these are pushed. */
  readonly named: ReadonlySet<string>;
}

/**
 * The services of a project as targets; the group `default` holds those that are asked for. Each is named as `docker compose`
 * does: by its `image`, else PROJECT-SERVICE. Fails with `not-found`, `parse` or `usage`.
 */
export async function planCompose(request: ComposeRequest): Promise<ComposePlan> {
  const { files, cwd, env, warn, onFile } = request;
  const paths = pathsOf(files, request);
  const folder = resolve(cwd, request.projectDirectory ?? folderOf(paths[0]!, cwd));
  const read = await readBakeFiles(paths, localFiles(cwd));
  for (const file of read) onFile(file);
  const source = composeSource({
    folder,
    env,
    warn,
    envFiles: request.envFiles?.map((path) => resolve(cwd, path)),
  });
  const project = await readProject(read, source);
  const name = projectName(request, { project, folder, lookup: source.lookup });
  const services = project.services.map((service) => withImage(service, name));
  const whole = definitionOf({ services });
  const wanted = chosen(services, request).map(({ name }) => targetName(name));
  const group: Group = { targets: wanted };
  return {
    definition: { ...whole, groups: new Map([['default', group]]) },
    folder,
    named: new Set(
      project.services.filter(({ image }) => image !== undefined).map((one) => targetName(one.name)),
    ),
  };
}

function pathsOf(files: readonly string[], { cwd, env }: ComposeRequest): readonly string[] {
  if (files.length > 0) return files;
  const { COMPOSE_FILE: written, COMPOSE_PATH_SEPARATOR: separator = ':' } = env;
  return written ? written.split(separator || ':') : findComposeFiles(cwd);
}

function folderOf(path: string, cwd: string): string {
  return path === '-' ? cwd : dirname(resolve(cwd, path));
}

interface ProjectPlace {
  readonly project: Project;
  readonly folder: string;
  readonly lookup: (name: string) => string | undefined;
}

/** As Compose has it: small letters, digits, - and _, and no sign in front. */
function projectName(request: ComposeRequest, { project, folder, lookup }: ProjectPlace): string {
  const written = request.projectName ?? (lookup('COMPOSE_PROJECT_NAME') || undefined) ?? project.name;
  if (written !== undefined && !/^[a-z0-9][a-z0-9_-]*$/.test(written))
    throw usageError(
      `'${written}' is no name of a project`,
      'It has small letters, digits, - and _, and begins with a letter or digit.',
    );
  return (
    written ??
    (basename(folder)
      .toLowerCase()
      .replace(/[^a-z0-9_-]/g, '')
      .replace(/^[_-]+/, '') ||
      'default')
  );
}

function withImage(service: Service, project: string): Service {
  const { name, settings, image, platform } = service;
  if (settings === undefined) return service;
  const tags = [image ?? `${project}-${name}`, ...(settings.tags ?? [])];
  const platforms =
    settings.platforms === undefined && platform !== undefined ? { platforms: [platform] } : {};
  const own: Settings = { tags, ...platforms };
  return { ...service, settings: merge(settings, own) };
}

/** The services that are named, else all whose profile is on; what is not built is left out. */
function chosen(services: readonly Service[], request: ComposeRequest): readonly Service[] {
  const { services: names, profiles, env, withDependencies } = request;
  const active = [...profiles, ...(env.COMPOSE_PROFILES ?? '').split(',')].filter((name) => name !== '');
  const isActive = (service: Service): boolean =>
    service.profiles.length === 0 ||
    active.includes('*') ||
    service.profiles.some((name) => active.includes(name));
  for (const name of names) checkService(name, services);
  const asked =
    names.length === 0 ? services.filter(isActive) : services.filter(({ name }) => names.includes(name));
  const all = withDependencies ? withNeeded(asked, services) : asked;
  return all.filter(({ settings }) => settings !== undefined);
}

function checkService(name: string, services: readonly Service[]): void {
  const known = services.map((service) => service.name);
  if (known.includes(name)) return;
  throw usageError(
    `there is no service ${name}`,
    suggestion(name, known) ?? `There are: ${known.join(', ')}.`,
  );
}

function withNeeded(asked: readonly Service[], services: readonly Service[]): readonly Service[] {
  const all = new Set(asked);
  for (const { dependsOn } of all)
    for (const service of services) if (dependsOn.includes(service.name)) all.add(service);
  return [...all];
}
