import { describe, expect, it } from 'vitest';
import { encodeKey, signedHeaders } from '../../../cache/remote/sigv4.ts';

const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const keys = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const unsigned = {
  method: 'GET',
  payloadHash: emptyHash,
  region: 'us-east-1',
  date: new Date('2013-05-24T00:00:00Z'),
};

describe('a signature for S3', () => {
  // The examples of AWS's documentation ("Examples: Signature Calculations").
  it.each([
    ['?lifecycle', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
    ['?max-keys=2&prefix=J', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
  ])('is the one that is documented: %s', (query, signature) => {
    const url = new URL(`https://examplebucket.s3.amazonaws.com/${query}`);
    const { authorization } = signedHeaders({ ...unsigned, url }, keys);
    expect(authorization).toContain(
      'Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date,',
    );
    expect(authorization?.split('Signature=')[1]).toBe(signature);
  });

  it('covers the token of keys that end, and shows no secret', () => {
    const url = new URL('https://b.s3.amazonaws.com/x');
    const headers = signedHeaders({ ...unsigned, url }, { ...keys, sessionToken: 'token' });
    expect(headers['x-amz-security-token']).toBe('token');
    expect(headers.authorization).toContain('x-amz-date;x-amz-security-token');
    expect(JSON.stringify(headers)).not.toContain(keys.secretAccessKey);
  });

  it('has names encoded as S3 does it', () => {
    expect(encodeKey("a/b c+d~e!'()*é")).toBe('a/b%20c%2Bd~e%21%27%28%29%2A%C3%A9');
  });
});
