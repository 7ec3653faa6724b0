/** A command line as people write it, and what comes of it. */
export interface Example {
  readonly line: string;
  readonly about: string;
}

/** Examples of every command, by its name. */
export const examples: Readonly<Record<string, readonly Example[]>> = {
  build: [
    { line: 'tsbuild -t myapp .', about: 'build ./Containerfile, name it myapp' },
    { line: 'tsbuild -t ghcr.io/me/app:1 --push .', about: 'build and push' },
    { line: 'tsbuild -o type=oci,dest=app.tar .', about: 'build into an archive' },
    { line: 'tsbuild -o out --target dist .', about: 'copy the files of a stage to ./out' },
    { line: 'tsbuild --check .', about: 'look for mistakes, build nothing' },
    { line: 'tsbuild --platform linux/amd64,linux/arm64 .', about: 'an image for two platforms' },
    { line: 'tsbuild --build-arg VERSION=1.2 .', about: 'give an ARG a value' },
    { line: 'tsbuild --secret id=token,env=TOKEN .', about: 'lend a step $TOKEN' },
  ],
  bake: [
    { line: 'tsbuild bake', about: 'the group or target "default"' },
    { line: 'tsbuild bake --print app', about: 'show what would be built' },
    { line: 'tsbuild bake -f compose.yaml --push', about: 'build and push the services' },
    { line: 'tsbuild bake --set app.args.VERSION=2 app', about: 'change a target for once' },
  ],
  'compose build': [
    { line: 'tsbuild compose build', about: 'every service that is built' },
    { line: 'tsbuild compose build -f prod.yaml web', about: 'one, of another file' },
  ],
  push: [
    { line: 'tsbuild push ghcr.io/me/app:1', about: 'to where its name says' },
    { line: 'tsbuild push app localhost:5000/app', about: 'under another name' },
  ],
  pull: [
    { line: 'tsbuild pull alpine', about: 'for this machine' },
    { line: 'tsbuild pull --platform linux/arm64 alpine', about: 'for another one' },
  ],
  run: [
    { line: 'tsbuild run myapp', about: 'what its ENTRYPOINT and CMD say' },
    { line: 'tsbuild run -it myapp sh', about: 'a shell in it' },
    { line: 'tsbuild run -v ./src:/src:ro myapp ls /src', about: 'with a folder of ours' },
  ],
  images: [
    { line: 'tsbuild images', about: 'as a table' },
    { line: 'tsbuild images --format json', about: 'for programs' },
  ],
  inspect: [{ line: 'tsbuild inspect myapp', about: 'configuration and layers' }],
  history: [{ line: 'tsbuild history --no-trunc myapp', about: 'every step in full' }],
  tag: [{ line: 'tsbuild tag myapp ghcr.io/me/app:1', about: 'the same image under two names' }],
  rmi: [
    { line: 'tsbuild rmi myapp', about: 'drop a name' },
    { line: 'tsbuild rmi -f 5863f3abaf7f', about: 'an image with all its names' },
  ],
  save: [{ line: 'tsbuild save myapp -o myapp.tar', about: 'an OCI archive' }],
  load: [{ line: 'tsbuild load -i myapp.tar', about: 'from an archive of any builder' }],
  'manifest create': [
    { line: 'tsbuild manifest create app:1 app:amd64 app:arm64', about: 'one name for two machines' },
  ],
  'manifest inspect': [{ line: 'tsbuild manifest inspect alpine', about: 'which platforms there are' }],
  'manifest push': [
    { line: 'tsbuild manifest push app:1 ghcr.io/me/app:1', about: 'the index and all it names' },
  ],
  builds: [{ line: 'tsbuild builds', about: 'the newest first' }],
  logs: [
    { line: 'tsbuild logs', about: 'all of the last build' },
    { line: 'tsbuild logs 20240501 "builder 2/4"', about: 'one step of a build' },
  ],
  explain: [
    { line: 'tsbuild explain', about: 'why steps of the last build ran' },
    { line: 'tsbuild explain --format json', about: 'for programs' },
  ],
  debug: [
    { line: 'tsbuild debug', about: 'the last step that failed' },
    { line: "tsbuild debug -c 'ls -l /app'", about: 'one command, and back' },
  ],
  report: [
    { line: 'tsbuild report', about: 'of the last build' },
    { line: 'tsbuild report -o build.html', about: 'in this file' },
  ],
  layers: [{ line: 'tsbuild layers myapp', about: 'what takes up how much, and what for' }],
  diff: [
    { line: 'tsbuild diff myapp:1 myapp:2', about: 'files and settings' },
    { line: 'tsbuild diff --exit-code a b', about: 'for scripts' },
  ],
  mount: [{ line: 'tsbuild mount myapp files -- ls -l files/usr/bin', about: 'look without a copy' }],
  du: [
    { line: 'tsbuild du', about: 'what takes up how much' },
    { line: 'tsbuild du --verbose', about: 'each thing, and why it is kept' },
  ],
  prune: [
    { line: 'tsbuild prune', about: 'what nothing needs any more' },
    { line: 'tsbuild prune --all --keep-storage 10GB', about: 'the oldest, until 10 GB are left' },
    { line: 'tsbuild prune --filter until=48h', about: 'only what was not used for two days' },
  ],
  'cache ls': [{ line: 'tsbuild cache ls', about: 'ids, sizes, when last used' }],
  'cache export': [{ line: 'tsbuild cache export npm -o npm.tar', about: 'to keep it between jobs' }],
  'cache import': [{ line: 'tsbuild cache import npm -i npm.tar', about: 'and to bring it back' }],
  doctor: [{ line: 'tsbuild doctor', about: 'what this machine allows' }],
  login: [
    { line: 'tsbuild login ghcr.io -u me', about: 'asks for the password' },
    { line: 'tsbuild login ghcr.io -u me --password-stdin', about: 'reads it from a file or pipe' },
  ],
  logout: [{ line: 'tsbuild logout ghcr.io', about: 'forgets them' }],
  completion: [
    { line: 'tsbuild completion bash >> ~/.bashrc', about: 'for good' },
    { line: 'tsbuild completion zsh > ~/.zfunc/_tsbuild', about: 'a folder of $fpath' },
    { line: 'tsbuild completion fish | source', about: 'for this shell' },
  ],
};

/** The examples of a command as its help shows them; nothing for one that has none. */
export function examplesText(name: string): string {
  const lines = Object.hasOwn(examples, name) ? examples[name]! : [];
  return lines.length === 0 ? '' : `\nExamples:\n${lines.map(lineOf).join('')}`;
}

/** What comes of a line stands beside it, or below it where there is no room. */
function lineOf({ line, about }: Example): string {
  const beside = `  ${line.padEnd(42)}${about}`;
  return line.length <= 40 && beside.length <= 80 ? `${beside}\n` : `  ${line}\n      ${about}\n`;
}
