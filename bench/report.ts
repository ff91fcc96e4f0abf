// What every case reports, and how it is shown: one table, the same columns for everything.

/** One figure of ours, beside its reference from the same alternating run where there is one. */
export interface Row {
  /** What was measured, in words. */
  readonly name: string;
  /** Under which load: tags, changes per cycle, subscribers, devices, bytes. */
  readonly load: string;
  readonly unit: 'ns' | 'µs' | 'ms' | '%' | 'kB';
  /** Median over the repeats of each figure. */
  readonly ours: Figures;
  /** The least that could be done on the same path, or what others do. */
  readonly reference?: { readonly name: string; readonly figures: Figures };
  /** What must hold, if anything does. */
  readonly bounds?: readonly Bound[];
  /** Alternating repeats behind the medians. */
  readonly repeats: number;
}

/** Percentiles of one distribution; only `p50` where the case has no distribution. */
export interface Figures {
  readonly p50: number;
  readonly p99?: number;
  readonly p999?: number;
  readonly max?: number;
}

/** `ours` at most `atMost` × reference, or at most `atMost` in the row's unit, at each named percentile. */
export interface Bound {
  readonly kind: 'ratio' | 'absolute';
  readonly at: readonly (keyof Figures)[];
  readonly atMost: number;
  /** A ratio: so much more than the reference, in the row's unit, is kept too. For figures that may be 0. */
  readonly orMore?: number;
}

/** Whether a bound is kept, in figures. */
export interface Verdict {
  readonly ok: boolean;
  readonly text: string;
}

const percentiles = ['p50', 'p99', 'p999', 'max'] as const;
const percentileNames: Readonly<Record<keyof Figures, string>> = {
  p50: 'p50',
  p99: 'p99',
  p999: 'p99.9',
  max: 'max',
};

/** Holds a row against its bounds: one verdict for each bound and percentile. */
export function verdictsOf(row: Row): Verdict[] {
  return (row.bounds ?? []).flatMap((bound) =>
    bound.at.map((key): Verdict => {
      const at = percentileNames[key];
      const figure = bound.kind === 'ratio' ? ratioAt(row, key) : row.ours[key];
      if (figure === undefined) return { ok: false, text: `${at} was not measured` };
      const { orMore } = bound;
      const more = (row.ours[key] ?? 0) - (row.reference?.figures[key] ?? 0);
      if (bound.kind === 'ratio' && orMore !== undefined && figure > bound.atMost) {
        const ok = more <= orMore;
        return { ok, text: `${at} ${show(more, row.unit)} more ${ok ? '≤' : '>'} ${orMore} ${row.unit}` };
      }
      const ok = figure <= bound.atMost;
      const sign = ok ? '≤' : '>';
      return bound.kind === 'ratio'
        ? { ok, text: `${at} ${showRatio(figure)} ${sign} ${bound.atMost} ×` }
        : { ok, text: `${at} ${show(figure, row.unit)} ${sign} ${bound.atMost} ${row.unit}` };
    }),
  );
}

const columns = [
  'what',
  'load',
  'p50',
  'p99',
  'p99.9',
  'max',
  'reference',
  'p50',
  'p99',
  'p99.9',
  'max',
  'ratio p50',
  'bound',
] as const;

/** The table as people read it. */
export function renderTable(rows: readonly Row[]): string {
  const all = [
    columns,
    ...rows.map((row) => cells(row, (verdict) => `${verdict.ok ? 'ok' : 'MISSED'} ${verdict.text}`)),
  ];
  const widths = columns.map((_, column) => Math.max(...all.map((line) => (line[column] ?? '').length)));
  return all
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The table as `docs/performance.md` carries it. */
export function renderMarkdown(rows: readonly Row[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map((_, i) => (i < 2 || i === 6 || i === columns.length - 1 ? '---' : '--:'))),
    ...rows.map((row) => line(cells(row, (verdict) => `${verdict.ok ? 'kept' : '**missed**'}: ${verdict.text}`))),
  ].join('\n');
}

function cells(row: Row, verdict: (verdict: Verdict) => string): string[] {
  const { ours, reference, unit } = row;
  const ratio = ratioAt(row, 'p50');
  return [
    row.name,
    row.load,
    ...percentiles.map((key) => show(ours[key], unit)),
    reference?.name ?? '',
    ...percentiles.map((key) => show(reference?.figures[key], unit)),
    ratio === undefined ? '' : showRatio(ratio),
    verdictsOf(row).map(verdict).join('; '),
  ];
}

/** The middle of the values (the lower one of an even number). */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** Percentiles of raw samples, divided by `per` (1,000 makes µs of ns). */
export function figuresOf(samples: readonly number[], per: number): Figures {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number => (sorted[Math.max(1, Math.ceil(sorted.length * share)) - 1] ?? Number.NaN) / per;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}

/** Median over repeats, figure by figure. */
export function medianFigures(repeats: readonly Figures[]): Figures {
  const of = (key: keyof Figures): Partial<Figures> => {
    const values = repeats.map((figures) => figures[key]).filter((value) => value !== undefined);
    return values.length === 0 ? {} : { [key]: median(values) };
  };
  return { p50: Number.NaN, ...of('p50'), ...of('p99'), ...of('p999'), ...of('max') };
}

/** Each figure that is there, changed. */
export function mapFigures(figures: Figures, change: (figure: number) => number): Figures {
  const of = (key: keyof Figures): Partial<Figures> => {
    const figure = figures[key];
    return figure === undefined ? {} : { [key]: change(figure) };
  };
  return { p50: change(figures.p50), ...of('p99'), ...of('p999'), ...of('max') };
}

/** How many times the reference's figure ours is; where both are 0 they are equal. */
function ratioAt(row: Row, key: keyof Figures): number | undefined {
  const ours = row.ours[key];
  const theirs = row.reference?.figures[key];
  if (ours === undefined || theirs === undefined) return undefined;
  return ours === 0 && theirs === 0 ? 1 : ours / theirs;
}

/** Two digits behind the point, and of a small one two that are not 0; nothing where the reference is 0. */
function showRatio(ratio: number): string {
  if (!Number.isFinite(ratio)) return '–';
  return `${ratio > 0 && ratio < 0.1 ? Number(ratio.toPrecision(2)) : ratio.toFixed(2)} ×`;
}

function show(value: number | undefined, unit: Row['unit']): string {
  if (value === undefined || Number.isNaN(value)) return '';
  const digits = value >= 100 || value === 0 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`;
}
