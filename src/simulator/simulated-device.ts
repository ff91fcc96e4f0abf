/** One device of a simulated segment, as a test or a machine in software handles it. */

import type { MailFault } from '../core/configuration/fault-types.ts';
import { camelCased } from '../core/configuration/segment.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import type { SegmentDevice } from '../core/segment-port.ts';
import {
  ProcessInput,
  ProcessValue,
  SimulatedObject,
  SimulatedRegister,
  SimulatedState,
  type ValueContext,
} from './values.ts';

const PORTS = 4;
/** Object: the numbers of the modules that are plugged (ETG.5001). */
const DETECTED_MODULES = 0xf050;

/** An emergency's content beside its error code. */
export interface EmergencyOptions {
  /** Error register, by default 0. */
  readonly register?: number;
  /** Five bytes, by default 0. */
  readonly data?: readonly number[];
  /** Which of the device's drives sends it, from 0, by SoE. Without it, the device does by CoE. */
  readonly drive?: number;
}

/** A device's state as it is registered, and whether frames reach it. */
export interface DeviceStatus {
  /** Whether it has power. */
  readonly powered: boolean;
  /** Whether frames reach it. */
  readonly reached: boolean;
  /** Register 0x0130: bits 0–3 state, bit 4 error. */
  readonly alStatus: number;
  /** Register 0x0134. */
  readonly alStatusCode: number;
  /** Register 0x0010. */
  readonly stationAddress: number;
}

/**
 * A device of a simulated segment. Faults and inputs take effect before the next frame, in the order of the calls; what
 * has to be known comes as a promise.
 *
 * Methods without a promise throw `ECAT_ERR_INVALID_ARGUMENT` for arguments out of range and
 * `ECAT_ERR_REQUEST_QUEUE_FULL` when more wait than the segment's queue holds.
 */
export class SimulatedDevice {
  /** Its name in the segment file, or `device 3` by its place. */
  readonly name: string;
  /** Its place in the segment, from 0, whether or not it answers at the moment. */
  readonly number: number;
  /** Its AL state. */
  readonly state: SimulatedState;
  /** Its AL status code (register 0x0134). */
  readonly alStatusCode: SimulatedRegister;
  readonly #context: ValueContext;
  readonly #directory: SegmentDevice;

  /** @internal */
  constructor(context: Omit<ValueContext, 'deviceName'>, directory: SegmentDevice) {
    this.name = directory.name;
    this.number = context.device;
    this.#context = { ...context, deviceName: directory.name };
    this.#directory = directory;
    this.state = new SimulatedState(this.#context);
    this.alStatusCode = new SimulatedRegister(this.#context, 'alStatusCode', { of: 'alStatusCode' });
  }

  /** How many inputs (channels) it has. */
  get inputCount(): number {
    return this.#directory.inputs.length;
  }

  /** How many outputs (channels) it has. */
  get outputCount(): number {
    return this.#directory.outputs.length;
  }

  /**
   * An input by its channel, from 1 in the order of the process image, as signals and wires count.
   * @throws `ECAT_ERR_INVALID_ARGUMENT` where there is none
   */
  input(channel: number): ProcessInput {
    return new ProcessInput(this.#context, `input(${channel})`, 'input', this.#channel('inputs', channel));
  }

  /**
   * What it drives at an output: 0 while it is not in OP, or its watchdog has expired.
   * @throws `ECAT_ERR_INVALID_ARGUMENT` where there is none
   */
  output(channel: number): ProcessValue {
    return new ProcessValue(this.#context, `output(${channel})`, 'output', this.#channel('outputs', channel));
  }

  /** An object, with its type by the dictionary, or by the PDO that carries it. Whether it is there, reading it tells. */
  object(index: number, subindex = 0): SimulatedObject {
    this.#check('index', index, 0xffff);
    this.#check('subindex', subindex, 0xff);
    const { inputs, outputs } = this.#directory;
    const carried = [...inputs, ...outputs].find((one) => one.index === index && one.subindex === subindex);
    return new SimulatedObject(this.#context, index, subindex, carried?.type ?? 'unsigned');
  }

  /** One to six bytes of the ESC's memory as a number, lowest byte first: looked at without effects, past every access rule. */
  register(address: number, bytes = 1): SimulatedRegister {
    this.#check('address', address, 0xffff);
    this.#check('bytes', bytes, 6, 1);
    const name = `0x${address.toString(16).padStart(4, '0')}`;
    return new SimulatedRegister(this.#context, name, { of: 'register', address, bytes });
  }

  /**
   * Bytes of the ESC's memory, looked at without effects.
   * @throws (rejects with) `ECAT_ERR_INVALID_ARGUMENT` for more than 4096 bytes
   */
  async memory(address: number, length: number): Promise<Uint8Array> {
    this.#check('address', address, 0xffff);
    this.#check('length', length, 4096, 1);
    const { data } = await this.#ask('memory', { kind: 'readMemory', address, length });
    return Uint8Array.from(data ?? []);
  }

  /** Power, and the registers that tell of its state. */
  async status(): Promise<DeviceStatus> {
    const { state } = await this.#ask('status', { kind: 'state' });
    return state!;
  }

  /** Names of its files (FoE). */
  get files(): readonly string[] {
    return this.#directory.files;
  }

  /** The content of a file. @throws (rejects with) `ECAT_ERR_INVALID_ARGUMENT` where there is no such file */
  async readFile(name: string): Promise<Uint8Array> {
    const { data } = await this.#ask(`file ${name}`, { kind: 'readFile', name });
    return Uint8Array.from(data ?? []);
  }

  /** Gives a file another content. @throws (rejects with) `ECAT_ERR_INVALID_ARGUMENT` where there is no such file */
  async writeFile(name: string, content: Uint8Array | string): Promise<void> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    await this.#ask(`file ${name}`, { kind: 'writeFile', name }, Uint8Array.from(bytes));
  }

  /** It is taken out of the line and its cables are joined: frames still pass to its neighbours. */
  unplug(): void {
    this.#command({ kind: 'unplug' });
  }

  /** It is put in again: it is in INIT, without address and settings. */
  plug(): void {
    this.#command({ kind: 'plug' });
  }

  /** One of its ports, 0 to 3; port 0 leads to the MainDevice. */
  port(port: number): SimulatedPort {
    this.#check('port', port, PORTS - 1);
    return new SimulatedPort(port, (command) => this.#command(command));
  }

  /** How many slots for modules it has. */
  get slotCount(): number {
    return this.#directory.slots;
  }

  /**
   * A slot for a module, from 1.
   * @throws `ECAT_ERR_INVALID_ARGUMENT` where there is none
   */
  slot(slot: number): SimulatedSlot {
    if (this.slotCount === 0) throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `${this.name} has no slots`);
    this.#check('slot', slot, this.slotCount, 1);
    const { modules } = this.#directory;
    const detected = this.object(DETECTED_MODULES, slot);
    return new SimulatedSlot(this.name, slot, modules, detected, (command) => this.#command(command));
  }

  /** The cable behind it is cut: what is behind it keeps its power, but sees no frames. */
  cutCable(): void {
    this.#context.port.command({ kind: 'cutCable', after: this.number });
  }

  /** Its program sends an emergency. */
  emergency(code: number, { register = 0, data = [0, 0, 0, 0, 0], drive }: EmergencyOptions = {}): void {
    this.#command(
      drive === undefined
        ? { kind: 'raiseEmergency', code, register, data }
        : { kind: 'raiseDriveEmergency', drive, code, register, data },
    );
  }

  /** One of its drives tells the value of an IDN without being asked (SoE); S-0-0047 is 47. */
  notifyIdn(drive: number, idn: number): void {
    this.#command({ kind: 'notifyIdn', drive, idn });
  }

  /** Its program takes a lower state by itself, with an AL status code. */
  leaveState(to: 'INIT' | 'PRE-OP' | 'SAFE-OP', alStatusCode: number): void {
    this.#command({ kind: 'leaveState', state: { INIT: 1, 'PRE-OP': 2, 'SAFE-OP': 4 }[to], code: alStatusCode });
  }

  /** Its program stops: it handles no request and no mail, and its PDI watchdog expires. */
  haltProgram(): void {
    this.#command({ kind: 'haltProgram', halted: true });
  }

  /** Its program goes on. */
  resumeProgram(): void {
    this.#command({ kind: 'haltProgram', halted: false });
  }

  /** Something goes wrong with its mail. */
  disturbMail(fault: MailFault): void {
    this.#command({ kind: 'disturbMail', fault: camelCased(fault) });
  }

  /** A latch input of its ESC (0 or 1) has a level from now on; a change gets a time stamp. */
  setLatchInput(input: number, level: boolean): void {
    this.#check('input', input, 1);
    this.#command({ kind: 'setLatchInput', input, level });
  }

  /** The selector of its explicit identification is turned. */
  setIdentification(identification: number): void {
    this.#command({ kind: 'setIdentification', identification });
  }

  /** The next pulses of its SYNC0 do not come. */
  losePulses(count: number): void {
    this.#command({ kind: 'losePulses', count });
  }

  /** Its local clock runs fast by this from now on, in 10⁻⁶. */
  setClockDrift(ppm: number): void {
    this.#command({ kind: 'setClockDrift', driftPpb: Math.round(ppm * 1000) });
  }

  /** Its local clock jumps. */
  stepClock(byNs: number): void {
    this.#command({ kind: 'stepClock', byNs });
  }

  #channel(direction: 'inputs' | 'outputs', channel: number): SegmentDevice['inputs'][number] {
    const channels = this.#directory[direction];
    const found = channels[channel - 1];
    if (found !== undefined) return found;
    const has = channels.length === 0 ? `no ${direction}` : `the ${direction} 1 to ${channels.length}`;
    throw new EtherCatError(
      'ECAT_ERR_INVALID_ARGUMENT',
      `${this.name} has ${has}, and none with the number ${channel}`,
    );
  }

  #check(what: string, value: number, most: number, least = 0): void {
    if (Number.isInteger(value) && value >= least && value <= most) return;
    const message = `${this.name}: ${what}: expected a whole number from ${least} to ${most}, got ${value}`;
    throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', message);
  }

  #command(command: object): void {
    this.#context.port.command({ ...command, device: this.number });
  }

  #ask(what: string, request: object, data?: Uint8Array): ReturnType<ValueContext['port']['ask']> {
    return this.#context.port.ask(`${this.name}: ${what}`, { ...request, device: this.number }, data);
  }
}

/** A port of a simulated device, and the cable in it. */
export class SimulatedPort {
  /** 0 to 3. */
  readonly number: number;
  readonly #command: (command: object) => void;

  /** @internal */
  constructor(number: number, command: (command: object) => void) {
    this.number = number;
    this.#command = command;
  }

  /** The cable in it is cut. */
  cut(): void {
    this.#command({ kind: 'cutCableAt', port: this.number });
  }

  /** The cable in it is whole again. */
  mend(): void {
    this.#command({ kind: 'mendCableAt', port: this.number });
  }

  /** It is closed, whatever is plugged in: frames loop inside the device. */
  close(): void {
    this.#command({ kind: 'closePort', port: this.number });
  }

  /** It opens and closes by itself again. */
  open(): void {
    this.#command({ kind: 'openPort', port: this.number });
  }

  /** The next frames get a bad checksum on their way into it: they are counted, and do not come back. */
  corruptFrames(count: number): void {
    this.#command({ kind: 'corruptFrames', port: this.number, count });
  }
}

/** A slot of a modular device, and the module in it. */
export class SimulatedSlot {
  /** From 1. */
  readonly number: number;
  readonly #device: string;
  readonly #modules: SegmentDevice['modules'];
  readonly #detected: SimulatedObject;
  readonly #command: (command: object) => void;

  /** @internal */
  constructor(
    device: string,
    number: number,
    modules: SegmentDevice['modules'],
    detected: SimulatedObject,
    command: (command: object) => void,
  ) {
    this.number = number;
    this.#device = device;
    this.#modules = modules;
    this.#detected = detected;
    this.#command = command;
  }

  /** The module in it by its name, or by its number where it has none; undefined for an empty slot. */
  async module(): Promise<string | number | undefined> {
    const ident = Number(await this.#detected.read());
    if (ident === 0) return undefined;
    return this.#modules.find((one) => one.ident === ident)?.name ?? ident;
  }

  /** The module is pulled. The device says so as it would on the wire: in 0xF050, by an emergency, by its state. */
  pull(): void {
    this.#command({ kind: 'pullModule', slot: this.number });
  }

  /**
   * A module is plugged in, in place of what is there: by its name, or by its number, which may be one that the device
   * does not know.
   *
   * @throws `ECAT_ERR_INVALID_ARGUMENT` for a name that is none
   */
  plug(module: string | number): void {
    const ident = typeof module === 'number' ? module : this.#modules.find(({ name }) => name === module)?.ident;
    if (ident === undefined || !Number.isInteger(ident) || ident < 1 || ident > 0xffff_ffff) {
      const names = this.#modules.map(({ name }) => name).join(', ');
      throw new EtherCatError('ECAT_ERR_INVALID_ARGUMENT', `${this.#device} knows no module ${module}, but ${names}`);
    }
    this.#command({ kind: 'plugModule', slot: this.number, module: ident });
  }
}
