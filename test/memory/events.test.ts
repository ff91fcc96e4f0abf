import { readFileSync } from 'node:fs';
import test from 'ava';
import { EVENT_WORDS, readEvent } from '../../src/core/events.ts';

const source = readFileSync(new URL('../../native/engine/src/event.rs', import.meta.url), 'utf8');

/** What an event is called here where the native side calls it otherwise. */
const renamed: Record<string, string> = { degraded: 'real-time-refused' };

test('every kind of event that the native side reports has the same number and name here', (t) => {
  const kinds = [...source.matchAll(/^ {4}(\w+) = (\d+),$/gm)].map(([, name, number]) => ({
    name: (name ?? '').replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase(),
    number: Number(number),
  }));
  t.true(kinds.length >= 19);
  for (const { name, number } of kinds) {
    const words = new Uint32Array(EVENT_WORDS);
    words[0] = number;
    t.is(readEvent(words, 0)?.kind, (renamed[name] ?? name) as never, `kind ${number}`);
  }
  const unknown = new Uint32Array(EVENT_WORDS);
  unknown[0] = kinds.length + 1;
  t.is(readEvent(unknown, 0), undefined);
});
