/** The terminal itself: the alternate screen, raw keys, and both given back whatever happens. */

import { emitKeypressEvents } from 'node:readline';
import type { ReadStream, WriteStream } from 'node:tty';

const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_TO_END_OF_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** A screen that is taken over and given back. */
export class Terminal implements Disposable {
  readonly #output: WriteStream;
  readonly #input: ReadStream;
  readonly #onKey: (name: string) => void;
  #open = true;

  /** Takes the screen over. `onKey` gets `space`, `up`, `q`, `ctrl-c`, or the character. */
  constructor(output: WriteStream, input: ReadStream, onKey: (name: string) => void) {
    this.#output = output;
    this.#input = input;
    this.#onKey = onKey;
    output.write(ENTER);
    if (input.isTTY) {
      emitKeypressEvents(input);
      input.setRawMode(true);
      input.on('keypress', this.#keypress);
      input.resume();
    }
    process.on('exit', this.#leave);
  }

  /** Shows these lines and nothing else. */
  draw(lines: readonly string[]): void {
    if (this.#open)
      this.#output.write(`${HOME}${lines.map((line) => line + CLEAR_TO_END_OF_LINE).join('\n')}${CLEAR_BELOW}`);
  }

  /** Gives the screen back as it was. */
  [Symbol.dispose](): void {
    process.off('exit', this.#leave);
    this.#leave();
  }

  readonly #keypress = (character: string | undefined, key: { name?: string; ctrl?: boolean }): void => {
    if (key.ctrl === true) this.#onKey(`ctrl-${key.name ?? ''}`);
    else this.#onKey(key.name ?? character ?? '');
  };

  readonly #leave = (): void => {
    if (!this.#open) return;
    this.#open = false;
    this.#output.write(LEAVE);
    if (!this.#input.isTTY) return;
    this.#input.off('keypress', this.#keypress);
    this.#input.setRawMode(false);
    this.#input.pause();
  };
}
