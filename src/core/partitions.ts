/** Which decode worker looks at which tags: whole SubDevices, as evenly as that goes, or as the configuration says. */

import { availableParallelism } from 'node:os';
import type { NormalizedConfiguration } from './configuration/types.ts';
import type { ResolvedTag } from './resolve-tags.ts';

/** Partitions at most: the change logs that the shared memory can hold. */
export const PARTITIONS_MAX = 8;

/** Tags that one decode worker looks at without help, unless the configuration says otherwise. */
const TAGS_PER_PARTITION = 20_000;

/** The tags with their partitions; these count from 0 without a gap. */
export function assignPartitions(
  tags: readonly ResolvedTag[],
  { devices, partitions }: Pick<NormalizedConfiguration, 'devices' | 'partitions'>,
  processors: number = availableParallelism(),
): readonly ResolvedTag[] {
  const named = new Map(
    devices.flatMap(({ position, partition }) => (partition === undefined ? [] : [[position, partition]])),
  );
  const wanted = partitions ?? automatic(tags.length, processors);
  const partitionOf = named.size > 0 ? (position: number) => named.get(position) ?? 0 : evenly(tags, wanted);
  const used = [...new Set(tags.map(({ row }) => partitionOf(row.subDevice)))].sort((a, b) => a - b);
  if (used.length <= 1) return tags;
  const places = new Map(used.map((partition, n) => [partition, n]));
  return tags.map((tag) => ({
    ...tag,
    row: { ...tag.row, partition: places.get(partitionOf(tag.row.subDevice))! },
  }));
}

/** One for every so many tags, and a processor for each beside the one of the application. */
function automatic(tagCount: number, processors: number): number {
  return Math.max(1, Math.min(PARTITIONS_MAX, processors - 1, Math.ceil(tagCount / TAGS_PER_PARTITION)));
}

/** Neighbours on the wire, and so in the image, together. */
function evenly(tags: readonly ResolvedTag[], partitions: number): (position: number) => number {
  const counts = new Map<number, number>();
  for (const { row } of tags) counts.set(row.subDevice, (counts.get(row.subDevice) ?? 0) + 1);
  const places = new Map<number, number>();
  let before = 0;
  for (const [position, count] of [...counts].sort(([a], [b]) => a - b)) {
    // By the middle of its tags, so that a large SubDevice does not push everything behind it into the next.
    places.set(position, Math.min(partitions - 1, Math.floor(((before + count / 2) * partitions) / tags.length)));
    before += count;
  }
  return (position) => places.get(position) ?? 0;
}
