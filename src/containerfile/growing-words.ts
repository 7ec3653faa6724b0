/** Words as they grow; an empty one is none, quoted or not. */
export class GrowingWords {
  readonly #done: string[] = [];
  #current = '';

  split(text: string): void {
    for (const character of text) {
      if (/\s/.test(character)) this.#end();
      else this.#current += character;
    }
  }

  keep(text: string): void {
    this.#current += text;
  }

  all(): string[] {
    this.#end();
    return this.#done;
  }

  #end(): void {
    if (this.#current !== '') this.#done.push(this.#current);
    this.#current = '';
  }
}
