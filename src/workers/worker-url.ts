/** Where a worker's file is: `.ts` in a clone, `.js` in the package. The compiler rewrites imports, never URLs. */

const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** URL of `src/workers/NAME.worker.ts`, or of what the build made of it. */
export function workerUrl(name: string): string {
  return new URL(`./${name}.worker${extension}`, import.meta.url).href;
}
