/** What a device's calls have met: counts, the newest errors, and when it answered last. */

import type { ProtocolError } from './protocol-error.ts';
import type { BifrostDiagnosticError } from './types.ts';

const ERRORS_KEPT = 32;

/** Of one connection. */
export class Activity {
  readonly #connectedMs: number = performance.now();
  readonly #errors: BifrostDiagnosticError[] = [];
  #calls = 0;
  #failures = 0;
  #lastSuccess: Date = new Date();
  #responseNs = 0;

  /** Takes note of a call that succeeded, and how long its exchange took where that was measured. */
  succeeded(responseNs?: number): void {
    this.#calls += 1;
    this.#lastSuccess = new Date();
    if (responseNs !== undefined) this.#responseNs = responseNs;
  }

  failed(error: ProtocolError): void {
    this.#calls += 1;
    this.#failures += 1;
    const { code, message, operation, address, timestamp } = error;
    this.#errors.push({
      timestamp,
      error_code: code,
      description: message,
      operation,
      ...(address !== undefined && { address }),
    });
    if (this.#errors.length > ERRORS_KEPT) this.#errors.shift();
  }

  get lastSuccess(): Date {
    return this.#lastSuccess;
  }

  get responseNs(): number {
    return this.#responseNs;
  }

  get failures(): number {
    return this.#failures;
  }

  get errors(): BifrostDiagnosticError[] {
    return [...this.#errors];
  }

  /** Part of the calls that succeeded; 1 before the first. */
  get successRate(): number {
    return this.#calls === 0 ? 1 : (this.#calls - this.#failures) / this.#calls;
  }

  get uptimeNs(): number {
    return Math.round((performance.now() - this.#connectedMs) * 1e6);
  }
}
