/** Conditions on values of a simulated segment that the segment itself looks at, after every frame. */

import { EtherCatError } from '../core/errors/ethercat-error.ts';

/** What is compared: a value of a device, as the segment knows it (`Subject` in simulators/src/request.rs). */
export type Subject = Readonly<Record<string, unknown>> & { readonly of: string };

export type Comparison = 'is' | 'isNot' | 'above' | 'atLeast' | 'below' | 'atMost';

const words: Readonly<Record<Comparison, string>> = {
  is: 'is',
  isNot: 'is not',
  above: 'is above',
  atLeast: 'is at least',
  below: 'is below',
  atMost: 'is at most',
};

/** One comparison. */
interface Term {
  readonly device: number;
  readonly subject: Subject;
  readonly comparison: Comparison;
  /** Integers as text. */
  readonly than: string | number;
  /** What it is called, and how a value of it is shown. */
  readonly name: string;
  readonly show: (value: string | number) => string;
}

/**
 * Something that is so or not, after each frame. Made by the values of a device (`is`, `above` …), and put together by
 * {@link all} and {@link any}.
 */
export class Condition {
  /** @internal */
  readonly terms: readonly Term[];
  /** @internal Whether one of them is enough. */
  readonly isAny: boolean;

  /** @internal */
  constructor(terms: readonly Term[], isAny = false) {
    this.terms = terms;
    this.isAny = isAny;
  }

  /** In words, as the error of a time limit has it. */
  toString(): string {
    return this.terms
      .map(({ name, comparison, than, show }) => `${name} ${words[comparison]} ${show(than)}`)
      .join(this.isAny ? ' or ' : ' and ');
  }

  /** @internal What the segment is asked. */
  request(): object {
    const terms = this.terms.map(({ device, subject, comparison, than }) => ({ device, subject, comparison, than }));
    return { kind: 'watch', any: this.isAny, terms };
  }

  /** @internal What was seen last. */
  seen(last: readonly (string | number | null)[]): string {
    return this.terms
      .map(({ name, show }, n) => {
        const value = last[n];
        return `${name} is ${value === null || value === undefined ? 'not there' : show(value)}`;
      })
      .join(', ');
  }
}

/** @internal A comparison of one value. */
export function comparison(
  place: Pick<Term, 'device' | 'subject' | 'name' | 'show'>,
  by: Comparison,
  than: string | number,
): Condition {
  return new Condition([{ ...place, comparison: by, than }]);
}

/**
 * Holds while all of them do, in the same frame.
 * @throws `ECAT_ERR_INVALID_ARGUMENT` with an {@link any} among them: use a function for that
 */
export function all(...conditions: readonly Condition[]): Condition {
  return joined(conditions, false);
}

/**
 * Holds while one of them does.
 * @throws `ECAT_ERR_INVALID_ARGUMENT` with an {@link all} among them: use a function for that
 */
export function any(...conditions: readonly Condition[]): Condition {
  return joined(conditions, true);
}

function joined(conditions: readonly Condition[], isAny: boolean): Condition {
  if (conditions.length === 0)
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', 'there is no condition to wait for');
  if (conditions.some(({ terms, isAny: other }) => terms.length > 1 && other !== isAny)) {
    const message = 'all() and any() cannot be put into one another; wait for a function instead';
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', message);
  }
  return new Condition(
    conditions.flatMap(({ terms }) => terms),
    isAny,
  );
}
