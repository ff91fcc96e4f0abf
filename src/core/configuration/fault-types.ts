/** A fault, as segment files, TypeScript and the command line write it: where (`on`), when, and what (`effect`). */

/** One of the fifteen commands of datagrams. */
export type DatagramCommand =
  | 'NOP'
  | 'APRD'
  | 'APWR'
  | 'APRW'
  | 'FPRD'
  | 'FPWR'
  | 'FPRW'
  | 'BRD'
  | 'BWR'
  | 'BRW'
  | 'LRD'
  | 'LWR'
  | 'LRW'
  | 'ARMW'
  | 'FRMW';

type State = 'INIT' | 'PRE-OP' | 'BOOT' | 'SAFE-OP' | 'OP';

/** Datagrams that have all of these. */
export interface FaultFrames {
  /** What they do: one of these. */
  command?: DatagramCommand | readonly DatagramCommand[];
  /** A physical address, or the first and the last one. */
  register?: number | readonly [number, number];
  /** A logical address, or the first and the last one, that they overlap. */
  logical?: number | readonly [number, number];
  /** Station address. */
  station?: number;
  /** Device that they address: by position, station, broadcast, or logical addresses that it maps. */
  device?: string | number;
}

/** Where a fault is. */
export interface FaultPlace {
  /** The MainDevice's link: `out` to the segment, `in` on the way back. */
  link?: 'out' | 'in';
  /** A device by its name, or its place in the segment. */
  device?: string | number;
  /** A port of it, 0 to 3; port 0 leads to the MainDevice. */
  port?: number;
  /** Only frames that carry such a datagram. */
  frames?: FaultFrames;
}

/** When a fault acts. Without anything, from now on at every occasion, until it is cleared. */
export interface FaultTimes {
  /** What it waits for first; everything else counts from there on. */
  at?:
    | { state: { device?: string | number; state: State } }
    | { process_data: Record<string, never> }
    | { sdo: { device?: string | number; number: number } }
    | { fault: { name: string } };
  /** Begins so long after. */
  after_ms?: number;
  /** Begins when so many further frames were sent. */
  after_frames?: number;
  /** Ends so long after it began. */
  for_ms?: number;
  /** So many occasions pass first. */
  after?: number;
  /** Ends when so many occasions have met it. */
  count?: number;
  /** The chance of an occasion to meet it, in 10⁻⁶. */
  rate_ppm?: number;
  /** By chance so many occasions at a time, one after another. */
  burst?: number;
  /** Flapping: so long it is there … */
  on_ms?: number;
  /** … and so long it is not. */
  off_ms?: number;
}

/** What happens to a mail, or to its answer. */
export type MailEffect =
  | { kind: 'silence' | 'lose-reply' | 'behind-next' | 'wrong-counter' | 'wrong-type' | 'wrong-toggle' }
  | { kind: 'file-busy' | 'lose-fragment' }
  | { kind: 'late'; delay_ms: number }
  | { kind: 'error-reply'; detail: number }
  | { kind: 'abort' | 'file-error' | 'drive-error' | 'ads-error' | 'ethernet-result'; code: number };

/** What goes wrong with a device's mail, as `faults` of a segment file's `mailbox` has it. */
export interface MailFault {
  /** How many requests that it concerns pass first; by default 0. */
  after?: number;
  /** How many then meet it; by default 1. */
  count?: number;
  /** Whose requests it concerns; by default all that the effect can happen to. */
  protocol?: MailProtocol;
  /** What happens to them, or to their answers. */
  effect: MailEffect;
}

type MailProtocol = 'AoE' | 'CoE' | 'EoE' | 'FoE' | 'SoE' | 'VoE';

/** What happens. */
export type FaultEffect =
  | { kind: 'drop' | 'corrupt' | 'cut' | 'port-closed' | 'carrier-loss' | 'power-off' | 'bypass' | 'reset' }
  | {
      kind:
        | 'pdi-hang'
        | 'sii-checksum'
        | 'sii-empty'
        | 'eeprom-busy'
        | 'watchdog'
        | 'sync0-loss'
        | 'start-in-past'
        | 'pll-loss';
    }
  | { kind: 'truncate'; bytes: number }
  | { kind: 'delay'; by_frames?: number; by_ms?: number }
  | { kind: 'duplicate'; copies?: number }
  | { kind: 'reorder' | 'wrong-index' | 'wrong-length'; by?: number }
  | { kind: 'replay'; age?: number }
  | { kind: 'flip-bits'; offset: number; mask: number }
  | { kind: 'working-counter'; by: number }
  | { kind: 'swap'; with: string | number }
  | { kind: 'identity'; vendor_id?: number; product_code?: number; revision?: number; serial?: number }
  | { kind: 'eeprom-error'; error?: 'acknowledge' | 'write-enable' }
  | { kind: 'leave-state'; state: State; code: number }
  | { kind: 'refuse'; to?: State; code: number }
  | { kind: 'slow-transition'; to?: State; delay_ms: number }
  | { kind: 'mail'; does: MailEffect; protocol?: MailProtocol }
  | { kind: 'emergency'; code: number; register?: number; data?: readonly number[]; times?: number }
  | { kind: 'clock-drift'; ppm: number }
  | { kind: 'clock-step'; by_ns: number }
  | { kind: 'clock-jitter'; ns: number };

/** A fault. What its effect means, where it may be and where it is seen, docs/simulator.md says. */
export interface SegmentFault {
  /** How hits call it, and who clears it; by default its kind and a number. */
  name?: string;
  /** Where; by default the MainDevice's link. */
  on?: FaultPlace;
  /** When; by default at every occasion. */
  when?: FaultTimes;
  /** What happens. */
  effect: FaultEffect;
}
