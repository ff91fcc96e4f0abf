/** Values of a simulated device: channels, objects, states. Each can be read, compared, followed, and most be set. */

import { EtherCatError } from '../core/errors/ethercat-error.ts';
import { type SubDeviceState, subDeviceStateOf } from '../core/events.ts';
import { hex } from '../core/network.ts';
import type { SegmentAnswer, SegmentChannel, SegmentPort } from '../core/segment-port.ts';
import { type Comparison, type Condition, comparison, type Subject } from './conditions.ts';
import type { Scripts } from './scripts.ts';

/** Most bits that a number of JavaScript holds as they are. */
const NUMBER_BITS_MAX = 53;
const BOOLEAN = 0x0001;
/** Data types that are text (ETG1000.6). */
const VISIBLE_STRING = 0x0009;

/** A value of a device: a boolean for one bit, a bigint beyond 53 bits, text for strings, bytes for the rest. */
export type SimulatedValueType = boolean | number | bigint | string | Uint8Array;

/** @internal What values are made with. */
export interface ValueContext {
  readonly port: SegmentPort;
  readonly scripts: Scripts;
  /** Number of the device. */
  readonly device: number;
  readonly deviceName: string;
}

/** A value that can be read, compared and followed. */
export abstract class Readable<T extends SimulatedValueType> {
  /** How errors call it. */
  readonly name: string;
  /** @internal */
  protected readonly context: ValueContext;
  /** @internal */
  protected readonly subject: Subject;

  /** @internal */
  protected constructor(context: ValueContext, name: string, subject: Subject) {
    this.context = context;
    this.name = `${context.deviceName}.${name}`;
    this.subject = subject;
  }

  /**
   * What it is now. In virtual time no time passes meanwhile.
   * @throws (rejects with) `ECAT_ERR_INVALID_ARGUMENT` where there is no such value, `ECAT_ERR_REQUEST_QUEUE_FULL`
   */
  async read(): Promise<T> {
    const { device, port } = this.context;
    return this.decoded(await port.ask(this.name, { kind: 'read', device, subject: this.subject }));
  }

  /** Holds while it is that. */
  is(value: T): Condition {
    return this.compare('is', value);
  }

  /** Holds while it is anything else. */
  isNot(value: T): Condition {
    return this.compare('isNot', value);
  }

  /**
   * Calls a function after every change that the segment shows, with the new value and the one before. In virtual time it
   * runs between two cycles, and time waits for what it returns; on the wall clock, some ms late. Changes that follow
   * one another more quickly than it runs are one.
   *
   * @returns ends that
   */
  onChange(run: (value: T, previous: T) => unknown): () => void {
    const { port, scripts } = this.context;
    let isOver = false;
    let end = (): void => undefined;
    const follow = (from: string | number, previous: T): void => {
      const changed = this.#condition('isNot', from).request();
      end = port.watch(changed, true, ({ held, last }) => {
        const now = last?.[0];
        if (isOver || held !== true || now === undefined || now === null) return;
        const value = this.fromNumber(now);
        scripts.soon(() => (isOver ? undefined : run(value, previous)));
        follow(now, value);
      });
    };
    const begin = { kind: 'read', device: this.context.device, subject: this.subject };
    // Before the next cycle the segment says what it is now, and what follows is a change.
    void port.ask(this.name, begin).then(
      (answer) => {
        if (!isOver && answer.value !== undefined) follow(answer.value, this.decoded(answer));
      },
      // Nothing will ever change there: whoever waits for it is told, as of what a script throws.
      (error: unknown) =>
        scripts.soon(() => {
          if (!isOver) throw error;
        }),
    );
    return () => {
      isOver = true;
      end();
    };
  }

  /** @internal */
  protected compare(by: Comparison, value: T): Condition {
    return this.#condition(by, this.toNumber(value));
  }

  /** @internal */
  protected abstract decoded(answer: SegmentAnswer): T;
  /** @internal A number of the segment as a value. */
  protected abstract fromNumber(value: string | number): T;
  /** @internal A value as a number of the segment: integers as text. */
  protected abstract toNumber(value: T): string | number;

  #condition(by: Comparison, than: string | number): Condition {
    const { device } = this.context;
    const show = (value: string | number): string => String(this.fromNumber(value));
    return comparison({ device, subject: this.subject, name: this.name, show }, by, than);
  }
}

/** A value with an order. */
abstract class Ordered<T extends SimulatedValueType> extends Readable<T> {
  /** Holds while it is greater. */
  above(value: T): Condition {
    return this.compare('above', value);
  }

  /** Holds while it is greater or equal. */
  atLeast(value: T): Condition {
    return this.compare('atLeast', value);
  }

  /** Holds while it is less. */
  below(value: T): Condition {
    return this.compare('below', value);
  }

  /** Holds while it is less or equal. */
  atMost(value: T): Condition {
    return this.compare('atMost', value);
  }
}

/** Bits of a device's process data as a number: a boolean for one bit, a bigint beyond 53. */
export class ProcessValue extends Ordered<boolean | number | bigint> {
  /** Bits of it. */
  readonly bitLength: number;
  /** @internal */
  protected readonly channel: SegmentChannel;

  /** @internal */
  constructor(context: ValueContext, name: string, of: 'input' | 'output', channel: SegmentChannel) {
    const { bitOffset, bitLength, type } = channel;
    super(context, name, { of, bitOffset, bitLength, type });
    this.bitLength = bitLength;
    this.channel = channel;
  }

  /** @internal */
  protected override decoded({ value = '0' }: SegmentAnswer): boolean | number | bigint {
    return this.fromNumber(value);
  }

  /** @internal */
  protected override fromNumber(value: string | number): boolean | number | bigint {
    if (typeof value === 'number' || this.channel.type.startsWith('real')) return Number(value);
    if (this.bitLength === 1) return value !== '0';
    return this.bitLength > NUMBER_BITS_MAX ? BigInt(value) : Number(value);
  }

  /** @internal */
  protected override toNumber(value: boolean | number | bigint): string | number {
    return numberOf(value, this.name);
  }
}

/** What the process gives a device to see: an input of the MainDevice. */
export class ProcessInput extends ProcessValue {
  /**
   * Sets it for the next frame to find. A signal, a wire or a program that drives the same bits overwrites it.
   * @throws `ECAT_ERR_VALUE_RANGE`, `ECAT_ERR_REQUEST_QUEUE_FULL`
   */
  set(value: boolean | number | bigint): void {
    const { device, port } = this.context;
    const { bitOffset } = this.channel;
    const bits = this.#bits(value);
    // JSON holds 53 bits.
    const halves: [number, number][] =
      this.bitLength > NUMBER_BITS_MAX
        ? [
            [0, 32],
            [32, this.bitLength - 32],
          ]
        : [[0, this.bitLength]];
    for (const [from, bitLength] of halves) {
      const part = Number(BigInt.asUintN(bitLength, bits >> BigInt(from)));
      port.command({ kind: 'setInput', device, bitOffset: bitOffset + from, bitLength, value: part });
    }
  }

  #bits(value: boolean | number | bigint): bigint {
    const { type } = this.channel;
    const { bitLength } = this;
    if (type === 'real32' || type === 'real64') {
      const view = new DataView(new ArrayBuffer(8));
      if (type === 'real32') view.setFloat32(0, Number(value), true);
      else view.setFloat64(0, Number(value), true);
      return type === 'real32' ? BigInt(view.getUint32(0, true)) : view.getBigUint64(0, true);
    }
    const number = numberOf(value, this.name);
    const whole = typeof number === 'string' ? BigInt(number) : undefined;
    // What the type cannot say may be meant as bits: the sign is taken either way.
    const least = -(1n << BigInt(bitLength - 1));
    const most = (1n << BigInt(bitLength)) - 1n;
    if (whole === undefined || whole < (bitLength === 1 ? 0n : least) || whole > most) {
      const message = `${this.name}: expected a whole number of ${bitLength} bits, got ${value}`;
      throw new EtherCatError('ECAT_ERR_VALUE_RANGE', message);
    }
    return whole;
  }
}

/** An object of a device, as its own program sees it: of process data the value that is there. */
export class SimulatedObject extends Ordered<SimulatedValueType> {
  readonly #index: number;
  readonly #subindex: number;

  /** @internal */
  constructor(context: ValueContext, index: number, subindex: number, type: SegmentChannel['type']) {
    super(context, `${hex(index, 4)}:${String(subindex).padStart(2, '0')}`, { of: 'object', index, subindex, type });
    this.#index = index;
    this.#subindex = subindex;
  }

  /**
   * Gives it a value as the device's own program would, whatever an SDO may do: of an input for the next frame to find.
   * What the MainDevice sends meanwhile in process data overwrites it.
   *
   * @throws (rejects with) `ECAT_ERR_INVALID_ARGUMENT` where there is no such object, `ECAT_ERR_VALUE_RANGE` for a value
   * that does not fit its type, `ECAT_ERR_REQUEST_QUEUE_FULL`
   */
  async write(value: SimulatedValueType): Promise<void> {
    const { device, port } = this.context;
    const request = { kind: 'write', device, index: this.#index, subindex: this.#subindex };
    if (typeof value === 'string') await port.ask(this.name, request, Buffer.from(value, 'latin1'));
    else if (value instanceof Uint8Array) await port.ask(this.name, request, Uint8Array.from(value));
    else await port.ask(this.name, { ...request, value: numberOf(value, this.name) });
  }

  /** @internal */
  protected override decoded({ value, real, dataType, bits = 0, data }: SegmentAnswer): SimulatedValueType {
    if (value === undefined) {
      const bytes = data ?? new Uint8Array();
      return dataType === VISIBLE_STRING ? Buffer.from(bytes).toString('latin1') : Uint8Array.from(bytes);
    }
    if (real === true) return Number(value);
    if (dataType === BOOLEAN || bits === 1) return value !== '0';
    return bits > NUMBER_BITS_MAX ? BigInt(value) : Number(value);
  }

  /** @internal */
  protected override fromNumber(value: string | number): number | bigint {
    const number = Number(value);
    return typeof value === 'number' || Number.isSafeInteger(number) || Number.isNaN(number) ? number : BigInt(value);
  }

  /** @internal */
  protected override toNumber(value: SimulatedValueType): string | number {
    if (typeof value === 'string' || value instanceof Uint8Array) {
      throw new EtherCatError(
        'ECAT_ERR_INVALID_ARGUMENT',
        `${this.name}: only numbers can be compared; wait for a function instead`,
      );
    }
    return numberOf(value, this.name);
  }
}

const states: Readonly<Record<string, number>> = { INIT: 1, 'PRE-OP': 2, BOOT: 3, 'SAFE-OP': 4, OP: 8 };

/** The AL state of a device: `unknown` while it has no power. */
export class SimulatedState extends Readable<SubDeviceState> {
  /** @internal */
  constructor(context: ValueContext) {
    super(context, 'state', { of: 'alState' });
  }

  /** @internal */
  protected override decoded({ value = '0' }: SegmentAnswer): SubDeviceState {
    return this.fromNumber(value);
  }

  /** @internal */
  protected override fromNumber(value: string | number): SubDeviceState {
    return subDeviceStateOf(Number(value));
  }

  /** @internal */
  protected override toNumber(state: SubDeviceState): string {
    return String(states[state] ?? 0);
  }
}

/** A register of a device's ESC, or its AL status code: a number of up to six bytes. It is looked at without effects. */
export class SimulatedRegister extends Ordered<number> {
  /** @internal */
  constructor(context: ValueContext, name: string, subject: Subject) {
    super(context, name, subject);
  }

  /** @internal */
  protected override decoded({ value = '0' }: SegmentAnswer): number {
    return Number(value);
  }

  /** @internal */
  protected override fromNumber(value: string | number): number {
    return Number(value);
  }

  /** @internal */
  protected override toNumber(value: number): string | number {
    return numberOf(value, this.name);
  }
}

/** Integers as text, which loses no bit; reals as they are. */
function numberOf(value: boolean | number | bigint, name: string): string | number {
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'number') {
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `${name}: expected a number, got ${typeof value}`);
  }
  if (Number.isInteger(value)) return String(BigInt(value));
  // JSON has no word for the others.
  return Number.isFinite(value) ? value : String(value);
}
