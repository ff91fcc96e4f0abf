/**
 * Every error code, once: the one table behind `EtherCatError`, `docs/errors.md` and the native side.
 *
 * `test/errors/table.test.ts` holds it against the codes that the addon can report and against the
 * documentation, both ways.
 */

/** Which part a person has to look at. */
export type ErrorCategory = 'network' | 'device' | 'maindevice' | 'configuration';

/** What is known about a code without knowing the particular case. */
export interface ErrorDefinition {
  readonly category: ErrorCategory;
  /**
   * True when the same call can succeed later with nothing changed in the configuration or the
   * program: the cause lies in the plant or passes by itself.
   */
  readonly recoverable: boolean;
  /** What has happened, in general. */
  readonly meaning: string;
  /** One sentence on what to do. */
  readonly action: string;
}

/** A code of the table. Match on these, never on messages. */
export type ErrorCode =
  // Reported by the native side (native/engine/src/error.rs).
  | 'ECAT_ERR_LINK_PERMISSION'
  | 'ECAT_ERR_LINK_INTERFACE_MISSING'
  | 'ECAT_ERR_LINK_DOWN'
  | 'ECAT_ERR_LINK_BUSY'
  | 'ECAT_ERR_LINK_OS'
  | 'ECAT_ERR_NO_SUBDEVICES'
  | 'ECAT_ERR_TOO_MANY_SUBDEVICES'
  | 'ECAT_ERR_EEPROM_INVALID'
  | 'ECAT_ERR_EEPROM_CHECKSUM'
  | 'ECAT_ERR_EEPROM_ACCESS'
  | 'ECAT_ERR_EEPROM_BUSY'
  | 'ECAT_ERR_STATE_REFUSED'
  | 'ECAT_ERR_STATE_TIMEOUT'
  | 'ECAT_ERR_SUBDEVICE_LOST'
  | 'ECAT_ERR_CONFIGURATION_VERIFY'
  | 'ECAT_ERR_LAYOUT_INVALID'
  | 'ECAT_ERR_CYCLE_TOO_SHORT'
  | 'ECAT_ERR_TIMEOUT'
  | 'ECAT_ERR_BRING_UP'
  | 'ECAT_ERR_PANIC'
  | 'ECAT_ERR_LAYOUT_MISMATCH'
  | 'ECAT_ERR_CLOSED'
  | 'ECAT_ERR_ABORTED'
  | 'ECAT_ERR_INVALID_ARGUMENT'
  | 'ECAT_ERR_OUTPUT_CLAIMED'
  | 'ECAT_ERR_LANE_BUSY'
  | 'ECAT_ERR_URGENT_NOT_ALLOWED'
  | 'ECAT_ERR_INTERLOCK_HOLDS'
  | 'ECAT_ERR_SEGMENT_INVALID'
  // Reported by TypeScript alone.
  | 'ECAT_ERR_CONFIGURATION_FILE'
  | 'ECAT_ERR_CONFIGURATION_SYNTAX'
  | 'ECAT_ERR_CONFIGURATION_INVALID'
  | 'ECAT_ERR_UNSUPPORTED'
  | 'ECAT_ERR_DEVICE_MISMATCH'
  | 'ECAT_ERR_DEVICE_MISSING'
  | 'ECAT_ERR_TAG_UNKNOWN'
  | 'ECAT_ERR_TAG_UNRESOLVED'
  | 'ECAT_ERR_TAG_TYPE'
  | 'ECAT_ERR_NOT_AN_OUTPUT'
  | 'ECAT_ERR_VALUE_RANGE'
  | 'ECAT_ERR_NOT_OPERATIONAL'
  | 'ECAT_ERR_INTERLOCK_FIRED'
  | 'ECAT_ERR_CONSUMER_LATE'
  | 'ECAT_ERR_LANE_LOST'
  | 'ECAT_ERR_WRITE_QUEUE_FULL'
  | 'ECAT_ERR_REQUEST_QUEUE_FULL'
  | 'ECAT_ERR_WRITE_FAILED'
  | 'ECAT_ERR_SUBDEVICE_UNKNOWN'
  | 'ECAT_ERR_WORKING_COUNTER'
  | 'ECAT_ERR_FRAMES_LOST'
  | 'ECAT_ERR_PERIODS_MISSED'
  | 'ECAT_ERR_REAL_TIME_REFUSED'
  | 'ECAT_ERR_SUBSCRIBER'
  | 'ECAT_ERR_DECODE_WORKER'
  | 'ECAT_ERR_ANALYSIS'
  | 'ECAT_ERR_CONDITION_UNMET'
  | 'ECAT_ERR_ADDON_MISSING'
  | 'ECAT_ERR_INTERNAL';

/** The table. */
export const errorTable: Readonly<Record<ErrorCode, ErrorDefinition>> = Object.freeze({
  ECAT_ERR_LINK_PERMISSION: {
    category: 'network',
    recoverable: false,
    meaning: 'The process may not open a raw socket.',
    action:
      'Run as root, or give the process the capability CAP_NET_RAW (under systemd: AmbientCapabilities=CAP_NET_RAW CAP_SYS_NICE).',
  },
  ECAT_ERR_LINK_INTERFACE_MISSING: {
    category: 'network',
    recoverable: true,
    meaning: 'There is no network interface of that name.',
    action:
      'Compare the name (ethercat.master.interface, or what was given in its place) with the output of "ip link".',
  },
  ECAT_ERR_LINK_DOWN: {
    category: 'network',
    recoverable: true,
    meaning: 'The network interface is down or has no carrier, or it lost it while the bus was running.',
    action:
      'Check the cable and the power of the first SubDevice, and take the interface up with "ip link set NAME up".',
  },
  ECAT_ERR_LINK_BUSY: {
    category: 'network',
    recoverable: true,
    meaning: 'Another MainDevice, in this process or another, owns the interface.',
    action: 'Close the other MainDevice first, or use another interface; a segment has exactly one MainDevice.',
  },
  ECAT_ERR_LINK_OS: {
    category: 'network',
    recoverable: true,
    meaning: 'The operating system refused something else about the network interface.',
    action: 'Read the message of the operating system in the error; check that the interface is an Ethernet card.',
  },
  ECAT_ERR_NO_SUBDEVICES: {
    category: 'network',
    recoverable: true,
    meaning: 'The link is up but no SubDevice answered.',
    action:
      'Check that this interface leads to the EtherCAT segment, to the IN port of its first SubDevice, and that it has power.',
  },
  ECAT_ERR_TOO_MANY_SUBDEVICES: {
    category: 'network',
    recoverable: false,
    meaning: 'The segment has more SubDevices than one MainDevice can hold.',
    action: 'Split the segment over several interfaces, with one MainDevice each.',
  },
  ECAT_ERR_EEPROM_INVALID: {
    category: 'device',
    recoverable: false,
    meaning: 'The EEPROM of a SubDevice is blank, or its content makes no sense.',
    action: "Write the EEPROM again with the vendor's tool, or replace the SubDevice.",
  },
  ECAT_ERR_EEPROM_CHECKSUM: {
    category: 'device',
    recoverable: false,
    meaning:
      'A SubDevice has not loaded its EEPROM, since its checksum is wrong (register 0x0502, bit 11): its program does not run.',
    action:
      "Write the EEPROM again with the vendor's tool and switch the SubDevice off and on; a write to it was interrupted, or it is defective.",
  },
  ECAT_ERR_EEPROM_ACCESS: {
    category: 'device',
    recoverable: true,
    meaning: 'The EEPROM of a SubDevice did not take a command or reported an error.',
    action: 'Power-cycle the SubDevice and open again; if it stays, its EEPROM is defective.',
  },
  ECAT_ERR_EEPROM_BUSY: {
    category: 'device',
    recoverable: true,
    meaning: 'The SubDevice answers, but its EEPROM interface stays busy (register 0x0502, bit 15).',
    action:
      'Power-cycle the SubDevice and open again; if it stays, its EEPROM, or the program that emulates one, does not work.',
  },
  ECAT_ERR_STATE_REFUSED: {
    category: 'device',
    recoverable: true,
    meaning: 'A SubDevice refused a state or left it by itself; alStatusCode says why.',
    action:
      'Look up the AL status code in the manual of the SubDevice; most often its configuration or its outputs do not fit the requested state.',
  },
  ECAT_ERR_STATE_TIMEOUT: {
    category: 'device',
    recoverable: true,
    meaning: 'A SubDevice did not reach a state in time.',
    action: 'Check whether the SubDevice waits for something (supply voltage, clock, first outputs), then open again.',
  },
  ECAT_ERR_SUBDEVICE_LOST: {
    category: 'network',
    recoverable: true,
    meaning: 'A SubDevice stopped answering.',
    action: 'Check the power of this SubDevice and the cable in front of it, then open again.',
  },
  ECAT_ERR_CONFIGURATION_VERIFY: {
    category: 'device',
    recoverable: true,
    meaning: 'A register that was written read back otherwise.',
    action:
      'Power-cycle the SubDevice and open again; if it stays, its EEPROM asks for settings that its controller does not have.',
  },
  ECAT_ERR_LAYOUT_INVALID: {
    category: 'device',
    recoverable: false,
    meaning: 'The process data do not fit the SyncManagers, the FMMUs or the largest process image.',
    action: 'Compare the EEPROM of the named SubDevice with its manual; a segment that is too large has to be split.',
  },
  ECAT_ERR_CYCLE_TOO_SHORT: {
    category: 'configuration',
    recoverable: false,
    meaning: 'The frames of a cycle take longer on a wire of 100 Mbit/s than the cycle lasts.',
    action: 'Set cycle_time to the least that the message names, with a margin, or split the segment.',
  },
  ECAT_ERR_TIMEOUT: {
    category: 'network',
    recoverable: true,
    meaning: 'A frame got no answer in time, and no single SubDevice is to blame.',
    action: 'Check the cabling for interruptions and for other traffic on this interface, then open again.',
  },
  ECAT_ERR_BRING_UP: {
    category: 'network',
    recoverable: true,
    meaning: 'Bringing the segment up failed for a reason that no check could name.',
    action: 'Open again; if it stays, record the traffic of the interface and report it with the message.',
  },
  ECAT_ERR_PANIC: {
    category: 'maindevice',
    recoverable: false,
    meaning:
      'A defect inside the engine was caught; it sends no more frames, and the watchdogs of the SubDevices take the outputs to safety.',
    action: 'Close this MainDevice and open a new one; please report the message, it is a defect of bifrost-ethercat.',
  },
  ECAT_ERR_LAYOUT_MISMATCH: {
    category: 'maindevice',
    recoverable: false,
    meaning:
      'The native addon and the JavaScript are of different builds: their shared memory does not have the same layout.',
    action:
      'Install the package again, or in a clone run "npm start" once, so that both parts are built from the same sources.',
  },
  ECAT_ERR_CLOSED: {
    category: 'maindevice',
    recoverable: false,
    meaning: 'The operation needs an open MainDevice, and this one is closed.',
    action: 'Open a new MainDevice; a closed one stays closed.',
  },
  ECAT_ERR_ABORTED: {
    category: 'maindevice',
    recoverable: true,
    meaning: 'The operation was cancelled by its AbortSignal or by close().',
    action: 'Nothing is wrong; call again when it is wanted.',
  },
  ECAT_ERR_INVALID_ARGUMENT: {
    category: 'maindevice',
    recoverable: false,
    meaning: 'An argument does not have the type or the range that the function asks for.',
    action: 'Correct the call; the message names the argument and the documentation of the function its range.',
  },
  ECAT_ERR_OUTPUT_CLAIMED: {
    category: 'maindevice',
    recoverable: false,
    meaning: 'An output bit already belongs to another writer.',
    action: 'Write an output from one place only, or let the other writer release it first.',
  },
  ECAT_ERR_LANE_BUSY: {
    category: 'maindevice',
    recoverable: true,
    meaning: 'The output lane has another owner or is still being released, or no lane is free.',
    action: 'Wait until its owner has released it and two cycles have passed, or configure more lanes.',
  },
  ECAT_ERR_URGENT_NOT_ALLOWED: {
    category: 'configuration',
    recoverable: false,
    meaning:
      'An urgent write changes an output of a SubDevice that an extra frame could disturb: it has no device emulation, so that it may be synchronous to its SyncManager or to SYNC0, or it is declared urgent: false.',
    action:
      'Use write(), which goes with the next cycle; where the SubDevice runs free, set urgent: true at the device.',
  },
  ECAT_ERR_INTERLOCK_HOLDS: {
    category: 'device',
    recoverable: true,
    meaning: 'The condition of an interlock still holds, or its input is not good, so it cannot be acknowledged.',
    action: 'Remove the cause at the machine, then acknowledge again.',
  },
  ECAT_ERR_INTERLOCK_FIRED: {
    category: 'device',
    recoverable: true,
    meaning:
      'An interlock fired: its condition held or its input was not good, and its outputs are forced from the next frame on.',
    action: 'Remove the cause at the machine, then call acknowledge() with the name of the interlock.',
  },
  ECAT_ERR_CONSUMER_LATE: {
    category: 'maindevice',
    recoverable: true,
    meaning:
      'In virtual time a thread that attached in lockstep has not acknowledged a cycle for too long, and is not waited for until it does.',
    action: 'Look for what blocks that thread, or raise lockstepTimeoutMs.',
  },
  ECAT_ERR_SEGMENT_INVALID: {
    category: 'configuration',
    recoverable: false,
    meaning: 'The description of a simulated segment is not valid.',
    action: 'Correct the segment file at the named place; docs/configuration.md describes its keys.',
  },
  ECAT_ERR_CONFIGURATION_FILE: {
    category: 'configuration',
    recoverable: false,
    meaning: 'A configuration, segment or SII file cannot be read.',
    action: 'Check the path and its permissions; paths inside a file are relative to that file.',
  },
  ECAT_ERR_CONFIGURATION_SYNTAX: {
    category: 'configuration',
    recoverable: false,
    meaning: 'A configuration file is not valid YAML.',
    action: 'Correct the YAML at the named line and column.',
  },
  ECAT_ERR_CONFIGURATION_INVALID: {
    category: 'configuration',
    recoverable: false,
    meaning: 'The configuration contradicts its schema or itself.',
    action: 'Correct the named places; "bifrost-ethercat validate FILE" shows them all.',
  },
  ECAT_ERR_UNSUPPORTED: {
    category: 'configuration',
    recoverable: false,
    meaning: 'The configuration asks for a feature of a later version.',
    action: 'Take the setting out, or use the version that the message names.',
  },
  ECAT_ERR_DEVICE_MISMATCH: {
    category: 'configuration',
    recoverable: false,
    meaning: 'The SubDevice at a position is not the one that the configuration says.',
    action: 'Correct the configuration, or put the expected SubDevice at this position.',
  },
  ECAT_ERR_DEVICE_MISSING: {
    category: 'configuration',
    recoverable: true,
    meaning: 'The configuration names a position at which there is no SubDevice.',
    action: 'Check the power and the cable of the SubDevices up to this position, or correct the position.',
  },
  ECAT_ERR_TAG_UNKNOWN: {
    category: 'configuration',
    recoverable: false,
    meaning: 'No tag has that name.',
    action: 'Compare the name with the tags under ethercat.process_data; names are case-sensitive.',
  },
  ECAT_ERR_TAG_UNRESOLVED: {
    category: 'configuration',
    recoverable: false,
    meaning: 'The SubDevice has no process data that fit the tag.',
    action:
      'Compare index, subindex, entry or channel with the entries that "bifrost-ethercat scan" lists for the SubDevice.',
  },
  ECAT_ERR_TAG_TYPE: {
    category: 'configuration',
    recoverable: false,
    meaning: 'The type of a tag does not fit the process data that it names.',
    action:
      'Leave type out to take that of the entry, or name one of the same length; bit_offset selects a part of an entry.',
  },
  ECAT_ERR_NOT_AN_OUTPUT: {
    category: 'maindevice',
    recoverable: false,
    meaning: 'A value was written to a tag that is an input.',
    action: 'Write only to tags under process_data.outputs.',
  },
  ECAT_ERR_VALUE_RANGE: {
    category: 'maindevice',
    recoverable: false,
    meaning: 'A value, written or given as on_loss, does not fit the type of its tag.',
    action: 'Take a value within the range that the message names; 64-bit tags without scaling take a bigint.',
  },
  ECAT_ERR_NOT_OPERATIONAL: {
    category: 'maindevice',
    recoverable: true,
    meaning: 'The bus is not in OP, or the SubDevice of an output is not, so that the values do not reach it.',
    action: 'Wait until states$ says OP of both, then write again.',
  },
  ECAT_ERR_LANE_LOST: {
    category: 'maindevice',
    recoverable: true,
    meaning: 'This writer fell silent for longer than output_deadline_ms, and its outputs went to their loss values.',
    action:
      'Call resume(), look at the state of the plant, then write again; raise output_deadline_ms if such pauses are normal.',
  },
  ECAT_ERR_WRITE_QUEUE_FULL: {
    category: 'maindevice',
    recoverable: true,
    meaning: 'Too many writes of this writer are waiting for their cycle.',
    action: 'Await earlier writes before writing again; several tags fit into one write().',
  },
  ECAT_ERR_REQUEST_QUEUE_FULL: {
    category: 'maindevice',
    recoverable: true,
    meaning: 'Too many acyclic requests wait for their answer.',
    action: 'Await earlier requests before making new ones.',
  },
  ECAT_ERR_WRITE_FAILED: {
    category: 'network',
    recoverable: true,
    meaning: 'The written values did not reach their SubDevices: frames were lost or a working counter stayed wrong.',
    action: 'Look at faults$ for the SubDevice that does not answer; the values are sent again in every cycle.',
  },
  ECAT_ERR_SUBDEVICE_UNKNOWN: {
    category: 'network',
    recoverable: true,
    meaning:
      'A SubDevice answers that this MainDevice did not bring up: it was plugged in since, or it has lost its power or was reset, and has no address any more.',
    action: 'Close and open again to bring it up; where nobody plugged it in, look for the SubDevice that is lost.',
  },
  ECAT_ERR_WORKING_COUNTER: {
    category: 'network',
    recoverable: true,
    meaning: 'A datagram came back with a wrong working counter: some of its SubDevices did not take part.',
    action:
      'The SubDevice is named within a few cycles if it stays away; single ones point to a bad cable or connector.',
  },
  ECAT_ERR_FRAMES_LOST: {
    category: 'network',
    recoverable: true,
    meaning: 'Frames did not come back in their cycle.',
    action: 'Single ones are harmless; when they repeat, check cables, connectors and the load of the machine.',
  },
  ECAT_ERR_PERIODS_MISSED: {
    category: 'maindevice',
    recoverable: true,
    meaning: 'The cycle thread was late by whole periods, which were left out.',
    action:
      'Give the cycle thread a priority and a CPU of its own, use a real-time kernel, or choose a longer cycle_time.',
  },
  ECAT_ERR_REAL_TIME_REFUSED: {
    category: 'maindevice',
    recoverable: false,
    meaning:
      'The system refused the priority or the CPU that the configuration asks for; the cycle thread runs without.',
    action:
      'Run as root or give the process the capability CAP_SYS_NICE, and name a CPU that it may use; or take priority and cpu out of the configuration.',
  },
  ECAT_ERR_SUBSCRIBER: {
    category: 'maindevice',
    recoverable: true,
    meaning: 'A subscriber of the application threw an error; the others are not affected.',
    action: 'Correct the subscriber; cause is what it threw, and tag names the stream that it was subscribed to.',
  },
  ECAT_ERR_DECODE_WORKER: {
    category: 'maindevice',
    recoverable: true,
    meaning: 'A decode worker crashed, was killed or fell silent; it is being replaced, and cycles go on.',
    action: 'Nothing for a single one; when it repeats, look at cause and at the memory of the process.',
  },
  ECAT_ERR_ANALYSIS: {
    category: 'maindevice',
    recoverable: false,
    meaning: 'The module of an analysis threw, ended its thread, or ran out of memory.',
    action: 'Correct the module; the cause is in `cause`. The bus and other analyses are not affected.',
  },
  ECAT_ERR_CONDITION_UNMET: {
    category: 'maindevice',
    recoverable: false,
    meaning: 'What was waited for in a simulated segment did not come in time.',
    action: 'Compare what was seen last with what was waited for, or wait longer.',
  },
  ECAT_ERR_ADDON_MISSING: {
    category: 'maindevice',
    recoverable: false,
    meaning: 'The native addon cannot be loaded.',
    action:
      'In a clone run "npm start" once, which builds it; installed, check that the platform is Linux on x64 or arm64 and read cause.',
  },
  ECAT_ERR_INTERNAL: {
    category: 'maindevice',
    recoverable: false,
    meaning: 'Something happened that should not be possible.',
    action: 'Please report the message and cause; it is a defect of bifrost-ethercat.',
  },
});

/** Every code, in the order of the table. */
export const errorCodes: readonly ErrorCode[] = Object.freeze(Object.keys(errorTable) as ErrorCode[]);

/** Whether `code` is in the table. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorTable, code);
}
