import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type HttpServer, startHttpServer } from './http-server.ts';

export interface GitServerOptions {
  /** Folder that holds the repositories. */
  readonly root: string;
  /** The only Authorization that is let in. */
  readonly authorization?: string;
  /** Answers a request by itself and returns true, before git sees it. */
  readonly first?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** Repositories over http on loopback, by git's own CGI program. */
export async function startGitServer({ root, authorization, first }: GitServerOptions): Promise<HttpServer> {
  return await startHttpServer(async (request, response) => {
    if (first?.(request, response)) return;
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="tests"' }).end();
      return;
    }
    await throughGit(root, request, response);
  });
}

async function throughGit(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['-c', 'safe.directory=*', 'http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => {});
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const answer = Buffer.concat(chunks);
  const end = answer.indexOf('\r\n\r\n');
  const lines = answer.subarray(0, end).toString('latin1').split('\r\n');
  const headers = lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]);
  const status = headers.find(([name]) => name === 'Status')?.[1];
  response.statusCode = status === undefined ? 200 : Number.parseInt(status, 10);
  for (const [name, value] of headers) if (name !== 'Status') response.setHeader(name, value);
  response.end(answer.subarray(end + 4));
}
