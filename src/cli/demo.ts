/** `bifrost-ethercat demo`, which `npm start` runs: opens a bus and shows it live until it is told to stop. */

import { styleText } from 'node:util';
import { loadConfiguration } from '../core/configuration/load.ts';
import type { NormalizedConfiguration } from '../core/configuration/types.ts';
import { EtherCatError } from '../core/errors/ethercat-error.ts';
import type { BusState } from '../core/events.ts';
import { MainDevice } from '../main-device.ts';
import { closedText, DemoModel } from './demo-model.ts';
import { Operator } from './demo-operator.ts';
import { drawScreen } from './demo-screen.ts';
import { type DemoView, JsonView, LinesView } from './demo-view.ts';
import { stopSignal, untilAborted } from './failure.ts';
import { Terminal } from './terminal.ts';

/** Options of the command. */
interface DemoOptions {
  readonly seconds?: number;
  readonly json: boolean;
  readonly interface?: string;
  readonly segment?: string;
}

/** Milliseconds between two refreshes of whatever shows the demo. */
const REFRESH_MS = 100;

/** Runs the demo; resolves when the bus is closed in order. */
export async function demo(file: string, options: DemoOptions): Promise<void> {
  const stopping = stopSignal();
  try {
    const configuration = await loadConfiguration(file, options);
    const { link, cyclePeriodNs } = configuration;
    const linkText = link.kind === 'segment' ? 'simulated segment' : link.name;
    const model = new DemoModel(file, linkText, cyclePeriodNs, Date.now());
    const screen = options.json || !process.stdout.isTTY ? undefined : new ScreenView(model, stopping.stop);
    using view = screen ?? (options.json ? new JsonView(model, write) : new LinesView(model, write));
    const refreshing = setInterval(() => {
      model.tick(Date.now());
      view.refresh(Date.now());
    }, REFRESH_MS);
    try {
      await show(file, options, configuration, model, view, screen, stopping.signal);
    } finally {
      clearInterval(refreshing);
    }
  } finally {
    stopping.dispose();
  }
}

/** Opens the bus, shows it for as long as wanted, and closes it. */
async function show(
  file: string,
  options: DemoOptions,
  configuration: NormalizedConfiguration,
  model: DemoModel,
  view: DemoView,
  screen: ScreenView | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { seconds } = options;
  const enter = (state: BusState, cycle: number | undefined): void => {
    if (state === model.state) return;
    model.state = state;
    view.state(state, cycle);
  };
  const bus = await open(file, options, signal, enter);
  if (bus === undefined) return;
  const openedMs = Date.now();
  const engineEnd = new AbortController();
  let defect: EtherCatError | undefined;
  try {
    describe(bus, configuration, model);
    view.opened();
    bus.states$.subscribe((change) => {
      if (change.subject === 'bus') enter(change.state, change.cycle);
    });
    bus.changes$.subscribe((batch) => {
      for (const { tag, value, quality } of batch) model.sample(tag, value, quality, batch.cycle);
    });
    bus.faults$.subscribe(({ kind, error }) => {
      model.fault(error.code, error.message);
      view.fault(error);
      if (kind !== 'engine') return;
      defect = error;
      engineEnd.abort();
    });
    const statistics = setInterval(() => {
      model.statistics = bus.statistics();
    }, REFRESH_MS);
    const operator = new Operator(bus, model, (error) => {
      model.fault(error.code, error.message);
      view.fault(error);
    });
    screen?.onKey((key) => operator.press(key));
    if (screen === undefined && configuration.link.kind === 'segment') operator.play();
    await untilAborted(AbortSignal.any([signal, engineEnd.signal]), seconds === undefined ? undefined : seconds * 1000);
    clearInterval(statistics);
    operator.stop();
    view.refresh(Date.now());
  } finally {
    await bus.close();
  }
  if (defect !== undefined) throw defect;
  view.summary(bus.statistics(), Date.now() - openedMs);
}

/** The open bus; undefined when the process was told to stop meanwhile, which is no failure. */
async function open(
  file: string,
  options: DemoOptions,
  signal: AbortSignal,
  onState: (state: BusState, cycle: number | undefined) => void,
): Promise<MainDevice | undefined> {
  try {
    return await MainDevice.open(file, {
      signal,
      onState,
      ...(options.interface !== undefined && { interface: options.interface }),
      ...(options.segment !== undefined && { segment: options.segment }),
    });
  } catch (error) {
    if (signal.aborted && error instanceof EtherCatError && error.code === 'ECAT_ERR_ABORTED') return undefined;
    throw error;
  }
}

/** What is known once the bus is open: who is there, and which tags there are. */
function describe(bus: MainDevice, configuration: NormalizedConfiguration, model: DemoModel): void {
  model.devices = bus.subDevices.map(({ identity, ...subDevice }) => ({ ...subDevice, ...identity }));
  const scales = new Map(configuration.tags.map(({ name, scale }) => [name, scale]));
  for (const { name, direction, unit, sample } of bus.tags) {
    model.addTag({ name, direction, unit: unit ?? '', scale: scales.get(name) ?? 1 });
    model.sample(name, sample.value, sample.quality, sample.cycle);
  }
}

function write(text: string): void {
  process.stdout.write(text);
}

/** The live screen on a terminal. */
class ScreenView implements DemoView {
  readonly #model: DemoModel;
  readonly #terminal: Terminal;
  #press: (key: string) => void = () => undefined;
  #last = '';

  constructor(model: DemoModel, quit: () => void) {
    this.#model = model;
    this.#terminal = new Terminal(process.stdout, process.stdin, (key) => {
      if (key === 'q' || key === 'ctrl-c') quit();
      else this.#press(key);
      this.#draw(Date.now());
    });
  }

  /** Who is told the keys that do not quit. */
  onKey(press: (key: string) => void): void {
    this.#press = press;
  }

  state(): void {
    this.#draw(Date.now());
  }

  opened(): void {
    this.#draw(Date.now());
  }

  fault(): void {
    this.#draw(Date.now());
  }

  refresh(nowMs: number): void {
    this.#draw(nowMs);
  }

  summary(statistics: Parameters<DemoView['summary']>[0], elapsedMs: number): void {
    this.#last = closedText(statistics, elapsedMs);
  }

  [Symbol.dispose](): void {
    this.#terminal[Symbol.dispose]();
    if (this.#last !== '') write(`${this.#last}\n`);
  }

  #draw(nowMs: number): void {
    const { columns, rows } = process.stdout;
    this.#terminal.draw(drawScreen(this.#model, columns, rows, nowMs, (style, text) => styleText(style, text)));
  }
}
