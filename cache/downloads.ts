import { hexOf, isDigest, keyOf } from '../src/core/digest.ts';
import type { Download, Downloads } from '../src/core/store.ts';
import { type Home, touch } from './home.ts';

/** One JSON file per address, named by its digest: an address may hold a token. Its modification time is its last use. */
export function openDownloads(home: Home): Downloads {
  const fileOf = (url: string): string => home.path('downloads', `${hexOf(keyOf(url))}.json`);
  return {
    find(url) {
      const download = home.readJson(fileOf(url), isDownload);
      if (download !== undefined) touch(fileOf(url));
      return download;
    },
    async put(url, download) {
      home.write(fileOf(url), JSON.stringify(download));
    },
  };
}

export function isDownload(value: unknown): value is Download {
  const { digest, size, mtime } = (value ?? {}) as Partial<Download>;
  return isDigest(String(digest)) && Number.isInteger(size) && Number.isInteger(mtime);
}
