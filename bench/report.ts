// What every case reports, and how it is shown: one table, the same columns for everything.

/** One figure of ours, beside its reference from the same alternating run where there is one. */
export interface Row {
  /** What was measured, in words. */
  readonly name: string;
  /** Under which load: tags, changes per cycle, subscribers, devices, bytes. */
  readonly load: string;
  readonly unit: 'ns' | 'µs' | 'ms';
  /** Median over the repeats of each figure. */
  readonly ours: Figures;
  /** The least that could be done on the same path, or what others do. */
  readonly reference?: { readonly name: string; readonly figures: Figures };
  /** What must hold, if anything does. */
  readonly bound?: Bound;
  /** Alternating repeats behind the medians. */
  readonly repeats: number;
}

/** Percentiles of one distribution; absent where the case has no distribution. */
export interface Figures {
  readonly p50: number;
  readonly p99?: number;
  readonly p999?: number;
  readonly max?: number;
}

/** `ours` at most `ratio` × reference, or at most `limit` in the row's unit, at the named percentile. */
export type Bound =
  | { readonly kind: 'ratio'; readonly at: keyof Figures; readonly atMost: number }
  | { readonly kind: 'absolute'; readonly at: keyof Figures; readonly atMost: number };

/** Whether a row keeps its bound; `undefined` where it has none or the figure is missing. */
export interface Verdict {
  readonly ok: boolean | undefined;
  readonly text: string;
}

/** Holds a row against its bound. */
export function verdictOf(row: Row): Verdict {
  const { bound } = row;
  const ratio = ratioAt(row, 'p50');
  if (bound === undefined) return { ok: undefined, text: ratio === undefined ? '' : `${ratio.toFixed(2)} ×` };
  if (bound.kind === 'absolute') {
    const figure = row.ours[bound.at];
    if (figure === undefined) return { ok: undefined, text: 'not measured' };
    const ok = figure <= bound.atMost;
    return { ok, text: `${bound.at} ${ok ? '≤' : '>'} ${bound.atMost} ${row.unit}` };
  }
  const measured = ratioAt(row, bound.at);
  if (measured === undefined) return { ok: undefined, text: 'no reference' };
  const ok = measured <= bound.atMost;
  return { ok, text: `${bound.at} ${measured.toFixed(2)} × ${ok ? '≤' : '>'} ${bound.atMost} ×` };
}

/** The table as people read it. */
export function renderTable(rows: readonly Row[]): string {
  const header = ['what', 'load', 'p50', 'p99', 'p99.9', 'max', 'reference p50', 'p99', 'verdict'];
  const lines = rows.map((row) => {
    const verdict = verdictOf(row);
    const mark = verdict.ok === undefined ? '  ' : verdict.ok ? 'ok ' : 'MISSED ';
    return [
      row.name,
      row.load,
      ...(['p50', 'p99', 'p999', 'max'] as const).map((key) => show(row.ours[key], row.unit)),
      row.reference === undefined ? '' : `${row.reference.name}: ${show(row.reference.figures.p50, row.unit)}`,
      show(row.reference?.figures.p99, row.unit),
      mark + verdict.text,
    ];
  });
  const all = [header, ...lines];
  const widths = header.map((_, column) => Math.max(...all.map((line) => (line[column] ?? '').length)));
  return all.map((line) => line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ').trimEnd()).join('\n');
}

/** The table as `docs/performance.md` carries it. */
export function renderMarkdown(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const figures = (['p50', 'p99', 'p999', 'max'] as const).map((key) => show(row.ours[key], row.unit)).join(' / ');
    const reference =
      row.reference === undefined
        ? ''
        : `${row.reference.name}: ${show(row.reference.figures.p50, row.unit)} / ${show(row.reference.figures.p99, row.unit)}`;
    const verdict = verdictOf(row);
    const mark = verdict.ok === undefined ? '' : verdict.ok ? 'kept: ' : '**missed**: ';
    return `| ${row.name} | ${row.load} | ${figures} | ${reference} | ${mark}${verdict.text} |`;
  });
  return [
    '| What | Load | p50 / p99 / p99.9 / max | Reference p50 / p99 | Verdict |',
    '|---|---|---|---|---|',
    ...lines,
  ].join('\n');
}

/** The middle of the values (the lower one of an even number). */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** Percentiles of raw samples. */
export function figuresOf(samples: readonly number[]): Figures {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: sorted.at(-1) ?? Number.NaN };
}

/** Median over repeats, figure by figure. */
export function medianFigures(repeats: readonly Figures[]): Figures {
  const of = (key: keyof Figures): number | undefined => {
    const values = repeats.map((figures) => figures[key]).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : median(values);
  };
  const [p99, p999, max] = [of('p99'), of('p999'), of('max')];
  return {
    p50: of('p50') ?? Number.NaN,
    ...(p99 === undefined ? {} : { p99 }),
    ...(p999 === undefined ? {} : { p999 }),
    ...(max === undefined ? {} : { max }),
  };
}

function ratioAt(row: Row, key: keyof Figures): number | undefined {
  const ours = row.ours[key];
  const theirs = row.reference?.figures[key];
  return ours === undefined || theirs === undefined || theirs === 0 ? undefined : ours / theirs;
}

function show(value: number | undefined, unit: Row['unit']): string {
  if (value === undefined || Number.isNaN(value)) return '';
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`;
}
