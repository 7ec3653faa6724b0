import type { WorkflowCache } from '../../cache/remote/gha.ts';
import type { Bucket } from '../../cache/remote/s3.ts';
import type { S3Keys } from '../../cache/remote/sigv4.ts';
import { usageError } from '../core/errors.ts';
import type { CacheSite } from '../core/options.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The bucket of `type=s3`, with what the environment says of it. */
export function bucketOf(site: Extract<CacheSite, { type: 's3' }>, env: Environment): Bucket {
  const { prefix, pathStyle } = site;
  const bucket = site.bucket || env.AWS_BUCKET;
  const region = site.region || env.AWS_REGION || env.AWS_DEFAULT_REGION;
  const endpoint = site.endpoint || env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  if (!bucket) throw usageError('a cache of type=s3 has no bucket', 'Add bucket=NAME, or set AWS_BUCKET.');
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw usageError(
      `'${bucket}' is not the name of a bucket`,
      'It is made of small letters, digits, dots and dashes.',
    );
  if (!region) throw usageError('a cache of type=s3 has no region', 'Add region=NAME, or set AWS_REGION.');
  if (!/^[a-z0-9-]+$/.test(region))
    throw usageError(`'${region}' is not a region`, 'It looks like eu-central-1.');
  if (endpoint !== undefined && !/^https?:$/.test(URL.canParse(endpoint) ? new URL(endpoint).protocol : ''))
    throw usageError(
      `'${endpoint}' is not the address of a service`,
      'It looks like https://s3.example.com.',
    );
  return { bucket, region, prefix, endpoint, pathStyle };
}

/** The keys of the account. */
export function s3Keys(env: Environment): S3Keys {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (accessKeyId && secretAccessKey)
    return { accessKeyId, secretAccessKey, sessionToken: env.AWS_SESSION_TOKEN || undefined };
  throw usageError(
    'a cache of type=s3 has no keys',
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN where the keys have one.',
  );
}

/** The cache service of `type=gha`. */
export function workflowOf({ scope }: Extract<CacheSite, { type: 'gha' }>, env: Environment): WorkflowCache {
  const { ACTIONS_RESULTS_URL: url, ACTIONS_RUNTIME_TOKEN: token } = env;
  if (url && token && URL.canParse(url)) return { url, token, scope };
  throw usageError(
    'a cache of type=gha needs ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN',
    'A workflow gives them to its actions alone: pass them on to the step that runs tsbuild.',
  );
}
