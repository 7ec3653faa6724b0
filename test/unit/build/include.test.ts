import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Context, ContextFile } from '../../../builder/context/context.ts';
import { includeFrom } from '../../../src/build/include.ts';

const place = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'include-')));
const none = { get: () => undefined } as unknown as Context;

describe('INCLUDE from a folder', () => {
  const root = place();
  const outside = place();
  mkdirSync(join(root, 'parts/deep'), { recursive: true });
  for (const file of ['top', 'parts/one', 'parts/deep/two']) writeFileSync(join(root, file), file);
  writeFileSync(join(outside, 'secret'), 'secret');
  symlinkSync('one', join(root, 'parts/near'));
  symlinkSync(join(outside, 'secret'), join(root, 'parts/far'));
  symlinkSync(outside, join(root, 'away'));
  const told: string[] = [];
  const onSource = (file: string): void => void told.push(file);
  const include = includeFrom({ context: none }, { context: root, onSource });
  const main = join(root, 'Containerfile');

  it('starts from the file that includes it', () => {
    expect(include('parts/one', main)).toEqual({ file: join(root, 'parts/one'), text: 'parts/one' });
    expect(include('deep/two', join(root, 'parts/one')).text).toBe('parts/deep/two');
    expect(include('../top', join(root, 'parts/one')).text).toBe('top');
    expect(include('top', '-').text).toBe('top');
    expect(told).toEqual(['parts/one', 'parts/deep/two', 'top', 'top'].map((file) => join(root, file)));
  });

  it('follows links inside of the context only', () => {
    expect(include('parts/near', main).text).toBe('parts/one');
    const ways = ['parts/far', 'away/secret', '../x/../../etc/hostname', join(outside, 'secret')];
    for (const path of ways) expect(() => include(path, main)).toThrow('lies outside of the context');
    expect(() => include('secret', join(outside, 'Containerfile'))).toThrow('lies outside of the context');
  });

  it('takes files only', () => {
    expect(() => include('parts', main)).toThrow('is no file');
    expect(() => include('nothing', main)).toThrow('does not exist');
    expect(() => include('top/x', main)).toThrow('does not exist');
    expect(() => include('a\0b', main)).toThrow('cannot be read');
  });
});

describe('INCLUDE from any other context', () => {
  const folder = place();
  writeFileSync(join(folder, 'bytes'), 'RUN x');
  const files = new Map([
    ['parts/one', 'file'],
    ['two', 'file'],
    ['link', 'symlink'],
  ]);
  const get = (path: string) => {
    const type = files.get(path);
    return type && ({ entry: { type }, absolute: join(folder, 'bytes') } as ContextFile);
  };
  const include = includeFrom({ context: { get } as unknown as Context }, { context: '-' });

  it('asks the context', () => {
    expect(include('parts/one', 'Containerfile')).toEqual({ file: 'parts/one', text: 'RUN x' });
    expect(include('../two', 'parts/one').file).toBe('two');
    expect(include('./two', '-').file).toBe('two');
  });

  it('leaves it neither upwards nor by a link', () => {
    expect(() => include('../two', 'Containerfile')).toThrow('lies outside');
    expect(() => include('/two', 'parts/one')).toThrow('lies outside');
    expect(() => include('link', 'Containerfile')).toThrow('is not in the context');
  });
});
