import { fc, testProp } from '@fast-check/ava';
import test from 'ava';
import { ChangeHeads } from '../../src/core/change-heads.ts';

testProp(
  'every tag keeps the cycle and times of its last change, whoever else changed with it',
  [fc.array(fc.uniqueArray(fc.nat(199), { maxLength: 40 }), { maxLength: 300 })],
  (t, changes) => {
    const heads = new ChangeHeads(200);
    const cycles = new Array<number>(200).fill(0);
    for (const [n, changed] of changes.entries()) {
      const cycle = 2 ** 32 + n;
      heads.begin(cycle, Uint32Array.of(n, 1, 2, 3));
      for (const tag of changed) {
        heads.date(tag);
        cycles[tag] = cycle;
      }
    }
    t.deepEqual(
      cycles.map((_, tag) => heads.cycle(tag)),
      cycles,
    );
    t.deepEqual(
      cycles.map((_, tag) => [...heads.times(tag)]),
      cycles.map((cycle) => (cycle === 0 ? [0, 0, 0, 0] : [cycle - 2 ** 32, 1, 2, 3])),
    );
  },
);

test('as many heads as tags, each of a cycle of its own, and all of one again', (t) => {
  const heads = new ChangeHeads(1000);
  for (let round = 0; round < 3; round += 1) {
    for (let tag = 0; tag < 1000; tag += 1) {
      heads.begin(round * 2000 + tag, new Uint32Array(4));
      heads.date(tag);
    }
    for (let tag = 0; tag < 1000; tag += 1) t.is(heads.cycle(tag), round * 2000 + tag);
    heads.begin(round * 2000 + 1000, new Uint32Array(4));
    for (let tag = 0; tag < 1000; tag += 1) heads.date(tag);
    for (let tag = 0; tag < 1000; tag += 1) t.is(heads.cycle(tag), round * 2000 + 1000);
  }
});
