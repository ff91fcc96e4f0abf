/** Flanks of a bool. */

import type { Quality } from '../core/quality.ts';
import type { DeliveryHead } from './tag-group.ts';
import type { Sample, SampleWatcher } from './tag-streams.ts';

/** A bool that became another one. */
export interface Edge extends DeliveryHead {
  /** `rising` to true, `falling` to false. */
  readonly edge: 'rising' | 'falling';
  /** How far the value can be trusted. */
  readonly quality: Quality;
}

/** Tells a subscriber of the flanks in a tag's samples; what the samples begin with is none. */
export function edgeWatcher(subscriber: { next(edge: Edge): void; complete(): void }): SampleWatcher {
  let last: unknown;
  return {
    next({ value, quality, cycle, missed, hostTimeNs, dcTimeNs }: Sample): void {
      const isEdge = last !== undefined && value !== last;
      last = value;
      if (!isEdge) return;
      const edge = value === true ? 'rising' : 'falling';
      subscriber.next({ edge, quality, cycle, missed, hostTimeNs, dcTimeNs });
    },
    complete: () => subscriber.complete(),
  };
}
