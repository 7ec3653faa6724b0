let characters = 0;

/**
 * Every primitive that walks over text says here how many characters it looked at, so that a test can see that the work
 * grows with the text and no faster; time would tell of the machine as well.
 */
export function scanned(count: number): void {
  characters += count;
}

/** Characters looked at since the process began. */
export function charactersScanned(): number {
  return characters;
}
