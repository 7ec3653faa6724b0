// How long reading a Containerfile of a megabyte takes: text to graph, in a Node of its own, no builder beside it.
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { quiet, root } from '../machine.mjs';

const stage = (n) => `
# stage ${n}: what it is for
FROM \${REGISTRY}debian:bookworm-slim AS stage-${n}
ARG VERSION=1.${n} TARGETARCH
ENV PATH=/opt/app/bin:$PATH \\
    APP_VERSION="\${VERSION:-0}" APP_HOME=/opt/app
WORKDIR /opt/app
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \\
    apt-get update \\
    # what the build needs
    && apt-get install -y --no-install-recommends build-essential ca-certificates git \\
    && rm -rf /var/lib/apt/lists/*
COPY --from=${n > 0 ? `stage-${n - 1}` : 'busybox'} --chown=1000:1000 /opt/app/package.json /opt/app/lock.json ./
RUN <<SETUP
set -e
for tool in one two three; do
  install -m 0755 "tools/$tool" /usr/local/bin/
done
SETUP
LABEL org.opencontainers.image.title="app ${n}" org.opencontainers.image.version="$VERSION"
EXPOSE 8080/tcp
HEALTHCHECK --interval=30s --timeout=3s CMD curl -f http://localhost:8080/health || exit 1
ENTRYPOINT ["/opt/app/bin/server", "--port", "8080"]
`;

const program = `
import { analyse } from './src/containerfile/analyse.ts';
const [stages, runs] = process.argv.slice(2).map(Number);
const stage = ${stage};
const text = ['ARG REGISTRY=registry.example/', ...Array.from({ length: stages }, (_, n) => stage(n))].join('');
const platform = { os: 'linux', architecture: 'amd64' };
const times = [];
for (let run = 0; run <= runs; run++) {
  const start = process.hrtime.bigint();
  const { errors } = analyse(text, 'Containerfile', { buildArgs: {}, platforms: [platform], every: true });
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  if (errors.length > 0) throw errors[0];
  if (run > 0) times.push(ms);
}
console.log(JSON.stringify({ length: text.length, times }));
`;

/** Times of `runs` readings after one that does not count, in milliseconds, and the length of the text. */
export function parseTimes(folder, runs) {
  const outfile = join(folder, 'parse.mjs');
  const stdin = { contents: program, resolveDir: root, loader: 'js' };
  buildSync({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });
  const average = stage(100).length;
  return JSON.parse(quiet([process.execPath, outfile, Math.ceil(2 ** 20 / average), runs]));
}
