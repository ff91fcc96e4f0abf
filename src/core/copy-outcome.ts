/** What came of a native attempt to copy a slot. */
export const CopyOutcome = {
  /** A whole slot was copied. */
  fresh: 0,
  /** Nothing new in that time. */
  timeout: 1,
  /** Nothing new, and nothing will come. */
  closed: 2,
  /** The slot has been overwritten. */
  overtaken: 3,
  /** Nothing published yet. */
  empty: 4,
} as const;
