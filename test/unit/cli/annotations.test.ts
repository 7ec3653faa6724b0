import { describe, expect, it } from 'vitest';
import { parseAnnotations } from '../../../src/cli/annotations.ts';

const arm64 = { os: 'linux', architecture: 'arm64' };
const several = { isIndex: true, platforms: [arm64] };
const single = { isIndex: false, platforms: [arm64] };

describe('--annotation', () => {
  it('is for manifests unless it says otherwise', () => {
    expect(parseAnnotations(['a=b=c'], single)).toEqual([{ level: 'manifest', name: 'a', value: 'b=c' }]);
    expect(parseAnnotations(['index:a=1', 'index-descriptor:b=2'], several)).toEqual([
      { level: 'index', name: 'a', value: '1' },
      { level: 'index-descriptor', name: 'b', value: '2' },
    ]);
  });

  it('takes several levels, and a platform for each', () => {
    expect(parseAnnotations(['manifest[linux/arm64],index:a=1'], several)).toEqual([
      { level: 'manifest', platform: arm64, name: 'a', value: '1' },
      { level: 'index', name: 'a', value: '1' },
    ]);
    expect(parseAnnotations(['manifest-descriptor[linux/aarch64]:a='], single)).toEqual([
      { level: 'manifest-descriptor', platform: arm64, name: 'a', value: '' },
    ]);
  });

  it('leaves a colon in a name or value alone', () => {
    expect(parseAnnotations(['org.example:a=1', 'a=index:b=c'], single)).toEqual([
      { level: 'manifest', name: 'org.example:a', value: '1' },
      { level: 'manifest', name: 'a', value: 'index:b=c' },
    ]);
  });

  it.each([
    ['index:a=1', 'a single image has no index'],
    ['manifest,index-descriptor:a=1', 'has no index-descriptor'],
    ['manifest:a', "'a' has no value"],
    ['=1', 'has no name'],
    ['manifest[nowhere]:a=1', 'nowhere'],
    ['manifest[linux/amd64]:a=1', 'linux/amd64 is not built'],
  ])('is refused as %s', (text, message) => {
    expect(() => parseAnnotations([text], single)).toThrow(message);
  });
});
