import { mkdirSync } from 'node:fs';
import S3rver from '@20minutes/s3rver';

export interface S3Server {
  readonly origin: string;
  readonly bucket: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
  stop(): Promise<void>;
}

/** A server on loopback that speaks S3 and checks signatures, with one empty bucket. */
export async function startS3Server(folder: string): Promise<S3Server> {
  mkdirSync(folder, { recursive: true });
  const bucket = 'caches';
  const options = { address: '127.0.0.1', port: 0, silent: true, directory: folder };
  const server = new S3rver({ ...options, configureBuckets: [{ name: bucket, configs: [] }] });
  const { port } = await server.run();
  return {
    origin: `http://127.0.0.1:${port}`,
    bucket,
    keys: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    stop: async () => server.close(),
  };
}
