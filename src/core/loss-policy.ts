/**
 * What becomes of every output whose writer falls silent, as two images of the whole output image: bits that take a
 * loss value, and their values; all other bits hold. In a SharedArrayBuffer, so that any thread claims outputs by it.
 */

import { encodeLoss, setBits, writeBits } from './encode.ts';
import type { ResolvedTag } from './resolve-tags.ts';
import { Direction, type TagTable } from './tag-table.ts';

/** Views of the two images; written once, before any other thread sees them. */
export class LossPolicy {
  readonly buffer: SharedArrayBuffer;
  readonly mask: Uint8Array;
  readonly image: Uint8Array;

  /** @param buffer - of another thread's policy */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.mask = new Uint8Array(buffer, 0, buffer.byteLength / 2);
    this.image = new Uint8Array(buffer, buffer.byteLength / 2);
  }

  static build(table: TagTable, tags: readonly ResolvedTag[], outputBytes: number): LossPolicy {
    const policy = new LossPolicy(new SharedArrayBuffer(2 * outputBytes));
    tags.forEach((tag, number) => {
      if (tag.row.direction !== Direction.output || tag.onLoss === 'hold') return;
      setBits(table, number, policy.mask);
      writeBits(table, encodeLoss(table, number, tag.name, tag.onLoss), policy.image);
    });
    return policy;
  }
}

/** Bits that a lane drives, and what becomes of them when it falls silent. */
export interface Claims {
  /** What errors and events call whoever claims. */
  name: string;
  mask: Uint8Array;
  lossMask: Uint8Array;
  lossImage: Uint8Array;
  /** Cycles without a sign of life after which the lane is lost; 0 is never. */
  deadlineCycles: number;
  /** Cycles without a write; 0 is never. */
  commitDeadlineCycles: number;
}

/** When a lane is lost, and what it is called. */
export type ClaimOptions = Pick<Claims, 'name' | 'deadlineCycles' | 'commitDeadlineCycles'>;

/** The bits of those tags, with their loss values. */
export function claimsOf(
  table: TagTable,
  tags: Iterable<number>,
  { mask: lossMask, image: lossImage }: LossPolicy,
  options: ClaimOptions,
): Claims {
  const mask = new Uint8Array(lossMask.length);
  for (const tag of tags) setBits(table, tag, mask);
  // Private copies, as the native side wants them; it takes of them what is in the mask.
  return { ...options, mask, lossMask: lossMask.slice(), lossImage: lossImage.slice() };
}
