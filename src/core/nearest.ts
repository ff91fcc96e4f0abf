/** What a person most likely meant by a word that is none of those that there are. */

/** `; did you mean cycle_time?`, as the end of a message; nothing where no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

/** The candidate that `word` is most likely a slip of, or the beginning of. */
function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const normal = simplified(word);
  let best: string | undefined;
  let bestDistance = slipsAllowed(normal.length) + 1;
  for (const candidate of candidates) {
    const other = simplified(candidate);
    const beginning = normal.length < 4 ? other : other.slice(0, normal.length);
    const distance = Math.min(editDistance(normal, other), editDistance(normal, beginning) + 1);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Letters of a word of this length that may differ before a guess is worse than none. */
function slipsAllowed(length: number): number {
  return length < 3 ? 0 : Math.ceil(length / 3);
}

/** Case and separators are the most frequent slips: `cycleTime`, `cycle-time`. */
function simplified(word: string): string {
  return word.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}

/** Letters to insert, remove, replace, or swap with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let [before, row]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const swapped = i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j];
      next.push(
        Math.min(
          row![j + 1]! + 1,
          next[j]! + 1,
          row![j]! + (a[i] === b[j] ? 0 : 1),
          swapped ? before![j - 1]! + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [before, row] = [row, next];
  }
  return row![b.length]!;
}
