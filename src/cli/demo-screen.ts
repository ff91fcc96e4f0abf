/** The demo on a terminal: a screen that is drawn anew several times a second, and keys. */

import type { styleText } from 'node:util';
import {
  climb,
  type DemoModel,
  type Distribution,
  deviceCells,
  rateText,
  type TagRow,
  TREND_SAMPLES,
  valueText,
} from './demo-model.ts';
import { cut, formatElapsed, formatNanoseconds, grouped, pad, table, width } from './format.ts';

/** How the screen is coloured; replaced by nothing where colours are not wanted. */
export type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

/** Lines that the tags keep at least, whatever else there is to show. */
const TAG_LINES_MIN = 4;

const qualityStyles: Readonly<Record<string, Parameters<typeof styleText>[0]>> = {
  good: 'green',
  stale: 'yellow',
  uncertain: 'yellow',
  bad: 'red',
};

/** The whole screen: at most `rows` lines of at most `columns`. */
export function drawScreen(model: DemoModel, columns: number, rows: number, nowMs: number, paint: Paint): string[] {
  const top = [headline(model, columns, nowMs, paint), '', ...climbLine(model, paint)];
  const bottom = [...statisticsLines(model, paint), ...faultLines(model, paint), '', keysLine(model, paint)];
  const room = Math.max(TAG_LINES_MIN + 2, rows - top.length - bottom.length);
  const devices = deviceLines(model, Math.max(3, room - model.tags.size - 3), paint);
  const tags = tagLines(model, Math.max(TAG_LINES_MIN, room - devices.length - 1), paint);
  return [...top, ...devices, ...tags, ...bottom].slice(0, rows).map((line) => cut(line, columns));
}

function headline(model: DemoModel, columns: number, nowMs: number, paint: Paint): string {
  const left = `${paint('bold', ' bifrost-ethercat')}  ${model.title} ${paint('dim', `· ${model.link} · ${formatNanoseconds(model.cyclePeriodNs)}`)}`;
  const right = `${formatElapsed(nowMs - model.startedMs)} `;
  return left + pad(right, columns - width(left), true);
}

function climbLine(model: DemoModel, paint: Paint): string[] {
  const reached = climb.indexOf(model.state);
  const steps = climb.map((state, index) => {
    const name = state === 'starting' ? 'INIT' : state;
    if (index === reached) return paint(state === 'OP' ? ['green', 'bold'] : ['yellow', 'bold'], `● ${name}`);
    return index < reached ? paint('green', `✓ ${name}`) : paint('dim', `  ${name}`);
  });
  const other = reached >= 0 ? '' : paint(['red', 'bold'], `  ● ${model.state.toUpperCase()}`);
  return [` ${steps.join(paint('dim', ' ─ '))}${other}`, ''];
}

function deviceLines(model: DemoModel, linesMax: number, paint: Paint): string[] {
  if (model.devices.length === 0) return [paint('dim', ' looking for SubDevices …'), ''];
  const shown = model.devices.length <= linesMax ? model.devices : model.devices.slice(0, Math.max(1, linesMax - 1));
  const rows = shown.map((device) => {
    const [position = '', name = '', type = '', identity = '', ...rest] = deviceCells(device);
    return [` ${position}`, name, paint('cyan', type), paint('dim', identity), ...rest];
  });
  const head = [' #', 'SubDevice', 'type', 'identity', 'process data'].map((text) => paint('bold', text));
  const hidden = model.devices.length - shown.length;
  return [...table([head, ...rows]), ...(hidden > 0 ? [paint('dim', `   and ${hidden} more`)] : []), ''];
}

function tagLines(model: DemoModel, linesMax: number, paint: Paint): string[] {
  if (model.tags.size === 0) return [];
  const all = [...model.tags.values()];
  const chosen = model.chosen();
  const count = all.length <= linesMax - 1 ? all.length : Math.max(1, linesMax - 2);
  // The chosen output stays in sight.
  const first = Math.max(0, Math.min(all.length - count, chosen === undefined ? 0 : all.indexOf(chosen) - count + 1));
  const shown = all.slice(first, first + count);
  const rows = shown.map((tag) => [
    tag === chosen ? paint(['cyan', 'bold'], ' ▸') : '  ',
    tag === chosen ? paint('bold', tag.name) : tag.name,
    paint('dim', tag.direction === 'output' ? 'out' : 'in'),
    tag.value === true ? paint('green', valueText(tag)) : valueText(tag),
    paint(qualityStyles[tag.quality] ?? 'dim', tag.quality),
    paint('dim', rateText(tag)),
    paint('cyan', trendText(tag)),
  ]);
  const head = [
    '  ',
    ...['tag', '', 'value', 'quality', 'rate', ''].map((text) => (text === '' ? '' : paint('bold', text))),
  ];
  const hidden = all.length - shown.length;
  return [...table([head, ...rows], [3, 5]), ...(hidden > 0 ? [paint('dim', `    and ${hidden} more, ↑↓`)] : []), ''];
}

/** The last few seconds of a number, as bars between its lowest and highest value. */
function trendText({ trend }: TagRow): string {
  const low = Math.min(...trend);
  const high = Math.max(...trend);
  if (trend.length < 2 || low === high) return '';
  const bars = '▁▂▃▄▅▆▇█';
  return trend
    .slice(-TREND_SAMPLES)
    .map((value) => bars[Math.round(((value - low) / (high - low)) * (bars.length - 1))])
    .join('');
}

function statisticsLines({ statistics }: DemoModel, paint: Paint): string[] {
  if (statistics === undefined) return [paint('dim', ' the cycle has not begun')];
  const { cycles, missedCycles, lostFrames, workingCounterErrors, lateness, roundTrip } = statistics;
  const count = (name: string, value: number): string =>
    `${paint('dim', name)} ${value === 0 ? '0' : paint('yellow', grouped(value))}`;
  const counts = [
    `${paint('dim', 'cycles')} ${grouped(cycles)}`,
    count('missed', missedCycles),
    count('lost frames', lostFrames),
    count('working counter errors', workingCounterErrors),
  ];
  return [
    ` ${paint('bold', 'Cycle')}       ${counts.join('   ')}`,
    ` ${paint('bold', 'Lateness')}    ${distributionText(lateness, paint)}`,
    ` ${paint('bold', 'Round trip')}  ${distributionText(roundTrip, paint)}`,
  ];
}

function distributionText({ p50, p99, max }: Distribution, paint: Paint): string {
  const parts: readonly [string, number][] = [
    ['p50', p50],
    ['p99', p99],
    ['max', max],
  ];
  return parts
    .map(([name, ns]) => `${paint('dim', name)} ${pad(formatNanoseconds(ns), 8)}`)
    .join('  ')
    .trimEnd();
}

function faultLines({ faults }: DemoModel, paint: Paint): string[] {
  return Array.from(faults, ([code, { text, count }]) => {
    const times = count === 1 ? '' : paint('dim', ` (${grouped(count)} times)`);
    return ` ${paint('red', '!')} ${code}: ${text}${times}`;
  });
}

function keysLine(model: DemoModel, paint: Paint): string {
  const key = (name: string, does: string): string => `${paint(['bold', 'cyan'], name)} ${paint('dim', does)}`;
  const chosen = model.chosen();
  const keys: string[] = [];
  if (chosen !== undefined && model.state === 'OP') {
    if (typeof chosen.value === 'boolean') keys.push(key('space', `toggles ${chosen.name}`));
    else keys.push(key('+ −', `changes ${chosen.name}`));
    if (model.outputs().length > 1) keys.push(key('↑ ↓', 'chooses an output'));
  }
  keys.push(key('q', 'quits'));
  return ` ${keys.join('   ')}`;
}
