/** A worker of a test that answers messages one by one. */

import { once } from 'node:events';
import { Worker, type WorkerOptions } from 'node:worker_threads';

export class Answering implements AsyncDisposable {
  readonly worker: Worker;
  readonly #waiting: ((answer: unknown) => void)[] = [];
  readonly #answers: unknown[] = [];
  readonly exit: Promise<unknown>;

  constructor(file: URL, workerData: unknown, options: WorkerOptions = {}) {
    this.worker = new Worker(file, { ...options, workerData });
    this.worker.on('message', (answer) => {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#answers.push(answer);
      else waiting(answer);
    });
    // What a worker of these tests dies of is what the test wants it to die of.
    this.exit = once(this.worker, 'exit').catch(() => undefined);
    this.worker.on('error', () => undefined);
  }

  /** The next answer. */
  next(): Promise<unknown> {
    if (this.#answers.length > 0) return Promise.resolve(this.#answers.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Sends a command and returns the next answer. */
  async ask(command: unknown): Promise<unknown> {
    this.worker.postMessage(command);
    return await this.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker.terminate();
  }
}
