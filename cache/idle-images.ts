import { lstatSync } from 'node:fs';
import type { Home } from './home.ts';
import { type ImageFile, imageFiles, imagePath } from './images.ts';
import { filesIn, idsUnder, namesById, removeFile, setName } from './names.ts';

/** An image with the time of its last use, in seconds since the epoch. */
export interface IdleImage extends ImageFile {
  readonly used: number;
}

/** Images that builds took for FROM and nobody asked for otherwise, the least recently used first. */
export function baseImages(home: Home): IdleImage[] {
  return withUse(
    home,
    imageFiles(home).filter(({ base }) => base === true),
  );
}

/** Images that have lost their name to a newer build, or never had one, the least recently used first. */
export function namelessImages(home: Home): IdleImage[] {
  const names = namesById(home);
  return withUse(
    home,
    imageFiles(home).filter(({ id }) => !names.has(id)),
  );
}

/**
 * Whether there may be more images without a name than `most`: a look at two folders. Names may stand for several images
 * each, so that it errs on the side of yes.
 */
export function mayHaveNameless(home: Home, most: number): boolean {
  return filesIn(home, 'images').length > filesIn(home, 'names').length + most;
}

/** Takes an image away with its names; its layers are then nobody's. */
export function forget(home: Home, { id }: ImageFile): void {
  for (const name of namesById(home).get(id) ?? [])
    setName(
      home,
      name,
      (idsUnder(home, name) ?? []).filter((other) => other !== id),
    );
  removeFile(imagePath(home, id));
}

function withUse(home: Home, files: readonly ImageFile[]): IdleImage[] {
  const found = files.flatMap((file) => {
    const stat = lstatSync(imagePath(home, file.id), { throwIfNoEntry: false });
    return stat === undefined ? [] : [{ ...file, used: stat.mtimeMs / 1000 }];
  });
  return found.sort((a, b) => a.used - b.used);
}
