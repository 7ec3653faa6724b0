import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { makeCertificates } from './certificates.ts';
import { docsBases } from './docs-bases.ts';
import type { Block, Page } from './docs-page.ts';
import { must, run } from './programs.ts';
import { type ProxyServer, startProxyServer } from './proxy-server.ts';
import { type RegistryServer, startRegistryServer } from './registry-server.ts';
import { temporaryFolder } from './shared.ts';
import { has } from './skips.ts';

/** Where pages are tried: without the internet, but with the registries that they name. */
export interface DocsPlace extends AsyncDisposable {
  /**
   * Does what a page says in an empty folder and an empty home. Fails where a block fails, and where a block `output`
   * shows something else than the block above it wrote, numbers aside.
   */
  tryOut(page: Page): Promise<void>;
  /** Variables by which programs reach the registries, and the folder that they name. */
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly registry: RegistryServer;
}

/** One registry is all of them: Docker Hub with its base images, and those that people push to. */
const registries = [
  ...['registry-1.docker.io', 'mirror.example.com', 'registry.example.com'],
  ...['ghcr.io', 'registry.gitlab.com'],
];

/**
 * Starts the registries behind a proxy that knows no other name. Those base images are there that one of the pages
 * names. Needs docker-registry, skopeo, openssl and busybox.
 */
export async function openDocsPlace(pages: readonly Page[]): Promise<DocsPlace> {
  const folder = temporaryFolder('docs');
  const certificates = makeCertificates(join(folder.path, 'pem'), registries);
  const registry = await startRegistryServer({ tls: certificates });
  const portOf = (name: string) => (registries.includes(name) ? registry.port : undefined);
  const proxy = await startProxyServer({ portOf });
  await pushBases(registry, pages);
  layOutPrograms(folder.path);
  const env = reaching(proxy, certificates.ca);
  return {
    tryOut: (page) => tryOut(page, { folder: folder.path, env }),
    env,
    folder: folder.path,
    registry,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([registry.stop(), proxy.stop()]);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Why a block is not run here, if it is not. */
export function reasonNotToRun({ language, attributes }: Block): string | undefined {
  if (language !== 'sh' || attributes.has('file')) return 'it is shown only';
  const missing = attributes
    .get('needs')
    ?.split(',')
    .filter((program) => !has(program));
  if (missing !== undefined && missing.length > 0) return `${missing.join(', ')} is not installed`;
  return attributes.get('norun');
}

interface Around {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

function reaching({ host }: ProxyServer, ca: string): Record<string, string> {
  const url = `http://${host}`;
  return { HTTPS_PROXY: url, HTTP_PROXY: url, NO_PROXY: '127.0.0.1,localhost', SSL_CERT_FILE: ca };
}

async function pushBases({ host }: RegistryServer, pages: readonly Page[]): Promise<void> {
  const written = pages.flatMap(({ blocks }) => blocks.map(({ text }) => text)).join('\n');
  for (const { names, layout } of docsBases) {
    const named = names.filter((name) =>
      new RegExp(`\\b${name.replace(':latest', '')}(?![\\w.:-])`).test(written),
    );
    const from = named.length === 0 ? '' : `oci:${await layout()}:image`;
    for (const name of named) await must([...copy, from, `docker://${host}/library/${name}`]);
  }
}

const copy = ['skopeo', 'copy', '-q', '--all', '--dest-tls-verify=false'];

/** `tsbuild` is on the PATH, and the package is where Node looks for it from a page's folder. */
function layOutPrograms(folder: string): void {
  for (const name of ['bin', 'node_modules']) mkdirSync(join(folder, name));
  symlinkSync(resolve('bin/tsbuild'), join(folder, 'bin/tsbuild'));
  symlinkSync(resolve('.'), join(folder, 'node_modules/tsbuild'));
}

async function tryOut(page: Page, around: Around): Promise<void> {
  const own = join(around.folder, page.file.replaceAll('/', '-'));
  for (const name of ['work', 'home', 'tmp', 'said']) mkdirSync(join(own, name), { recursive: true });
  writeFileSync(join(own, 'script'), scriptOf(page, own));
  const work = join(own, 'work');
  const { code } = await run(['bash', join(own, 'script')], { cwd: work, env: environmentOf(own, around) });
  const ran = page.blocks.filter(({ line }) => existsSync(saidFile(own, line)));
  const last = ran.at(-1);
  if (code !== 0)
    throw new Error(
      `${page.file}:${last?.line}: exit ${code}\n${last?.text}\n${last && saidBy(own, last).slice(-4000)}`,
    );
  compareOutputs(page, own);
}

/** One shell does it all; what a block writes goes to a file of its own. */
function scriptOf({ blocks }: Page, own: string): string {
  const parts = blocks.flatMap((block) => {
    const file = block.attributes.get('file');
    if (file !== undefined) return [writing(join(own, 'work', file), block.text)];
    return reasonNotToRun(block) === undefined
      ? [`exec >'${saidFile(own, block.line)}' 2>&1`, running(block)]
      : [];
  });
  return ['set -e -o pipefail', ...parts, ''].join('\n');
}

function writing(path: string, text: string): string {
  const coded = Buffer.from(text).toString('base64');
  return `mkdir -p '${dirname(path)}'; echo ${coded} | base64 -d >'${path}'`;
}

/** A block that is to fail says with which code, and leaves no variables. */
function running({ text, attributes }: Block): string {
  const code = attributes.get('exit');
  if (code === undefined) return text;
  return `set +e; (set -e\n${text}); [ $? = ${Number(code)} ] || exit 99; set -e`;
}

function saidFile(own: string, line: number): string {
  return join(own, 'said', String(line));
}

function saidBy(own: string, { line }: Block): string {
  return readFileSync(saidFile(own, line), 'utf8');
}

function compareOutputs({ file, blocks }: Page, own: string): void {
  for (const [at, shown] of blocks.entries()) {
    if (!shown.attributes.has('output')) continue;
    const wrote = blocks.slice(0, at).findLast(({ line }) => existsSync(saidFile(own, line)));
    const said = wrote === undefined ? '' : saidBy(own, wrote);
    if (comparable(shown.text) !== comparable(said))
      throw new Error(`${file}:${shown.line}: what was written is\n${said}`);
  }
}

/** Without the commands, and with one number for all: sizes, times, digests and builds differ. */
function comparable(text: string): string {
  const lines = text.split('\n').filter((line) => !line.startsWith('$ '));
  return lines
    .join('\n')
    .replace(/\b(\d{8}-\d{9}-[0-9a-f]{6}|[0-9a-f]{12,64})\b/g, 'N')
    .replace(/\d+(\.\d+)?/g, 'N')
    .trim();
}

function environmentOf(own: string, { folder, env }: Around): Record<string, string> {
  const storage = join(own, 'storage.conf');
  const graph = `graphroot = "${join(own, 'podman')}"\nrunroot = "${join(own, 'run')}"\n`;
  writeFileSync(storage, `[storage]\ndriver = "vfs"\n${graph}`);
  return {
    ...env,
    PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
    HOME: join(own, 'home'),
    TMPDIR: join(own, 'tmp'),
    USER: process.env.USER ?? 'me',
    LANG: 'C.UTF-8',
    CONTAINERS_STORAGE_CONF: storage,
  };
}
