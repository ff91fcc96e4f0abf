/** Changes of tags as the gateway pushes them: the newest of each tag, at most so often. */

import { Observable, type Subscription } from 'rxjs';
import type { BifrostTag, BifrostTagUpdate } from './types.ts';

/** A tag of the gateway with its source. */
export interface WatchedTag {
  readonly tag: BifrostTag;
  /** Tells each change, already as the tag shows it. */
  readonly samples: Observable<Pick<BifrostTag, 'value' | 'quality' | 'timestamp'>>;
}

/**
 * Emits every tag once at the beginning, and then those that changed, with their newest value, not more often than every
 * `intervalMs`. A slow subscriber therefore never has a backlog.
 */
export function tagUpdates(
  deviceId: string,
  watched: readonly WatchedTag[],
  intervalMs: number,
): Observable<BifrostTagUpdate> {
  return new Observable((subscriber) => {
    const changed = new Map<number, BifrostTagUpdate>();
    let timer: NodeJS.Timeout | undefined;
    let open = watched.length;
    const flush = (): void => {
      timer = undefined;
      const updates = [...changed.values()];
      changed.clear();
      for (const update of updates) subscriber.next(update);
      if (open === 0) subscriber.complete();
    };
    const subscriptions: Subscription[] = watched.map(({ tag, samples }, at) =>
      samples.subscribe({
        next: (sample) => {
          changed.set(at, { type: 'tag_update', device_id: deviceId, tag: { ...tag, ...sample } });
          timer ??= setTimeout(flush, intervalMs);
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          open -= 1;
          if (open === 0 && timer === undefined) subscriber.complete();
        },
      }),
    );
    if (watched.length === 0) subscriber.complete();
    return () => {
      clearTimeout(timer);
      for (const subscription of subscriptions) subscription.unsubscribe();
    };
  });
}
