import { fc, testProp } from '@fast-check/ava';
import test from 'ava';
import type { EtherCatError } from '../../src/core/errors/ethercat-error.ts';
import { TagDirectory } from '../../src/core/tag-directory.ts';

testProp(
  'every name and alias is found by any view of the memory, and nothing else is',
  [fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), { maxLength: 60 }), fc.nat(7)],
  (t, names, seed) => {
    // Every third name is the alias of the one before.
    const tags: { name: string; alias?: string; unit?: string }[] = [];
    names.forEach((name, n) => {
      if ((n + seed) % 3 === 2 && tags.length > 0 && tags.at(-1)!.alias === undefined) tags.at(-1)!.alias = name;
      else tags.push(n % 2 === 0 ? { name } : { name, unit: ['rpm', '°C', 'µm'][n % 3]! });
    });
    const found = new TagDirectory(TagDirectory.build(tags).buffer);
    t.is(found.count, tags.length);
    tags.forEach(({ name, alias, unit }, tag) => {
      t.deepEqual([found.find(name), found.name(tag), found.alias(tag), found.unit(tag)], [tag, name, alias, unit]);
      if (alias !== undefined) t.is(found.find(alias), tag);
      if (!names.includes(`${name}x`)) t.is(found.find(`${name}x`), undefined);
    });
    t.is(found.find(''), undefined);
  },
);

test('ten thousand names take no more than their text and 64 bytes each', (t) => {
  const tags = Array.from({ length: 10_000 }, (_, n) => ({
    name: `device-${n >> 6}.0x6000.${n & 63}`,
    alias: `device-${n >> 6}.Channel ${n & 63}.Input`,
  }));
  const directory = TagDirectory.build(tags);
  const text = tags.reduce((sum, { name, alias }) => sum + name.length + alias.length, 0);
  t.true(directory.buffer.byteLength <= text + 64 * tags.length, String(directory.buffer.byteLength));
  t.true(tags.every(({ name, alias }, tag) => directory.find(name) === tag && directory.find(alias) === tag));
});

test('labels stand for values, and values for labels', (t) => {
  const directory = new TagDirectory(
    TagDirectory.build([
      { name: 'plain' },
      { name: 'door', unit: 'x', labels: { 0: 'closed', 1: 'open', [-1]: 'gone' } },
      { name: 'flap', labels: { 0: 'closed', 1: 'open', [-1]: 'gone' } },
      { name: 'mode', labels: { 8: 'automatic' } },
    ]).buffer,
  );
  t.is(directory.labels(0), undefined);
  t.is(directory.labels(1), directory.labels(2));
  t.deepEqual(directory.labels(3), { 8: 'automatic' });
  t.deepEqual(
    [0, 1, -1, 2].map((value) => directory.labelled(1, value)),
    ['closed', 'open', 'gone', 2],
  );
  t.is(directory.labelled(0, 1), 1);
  // A bool and a 64-bit number have labels too.
  t.is(directory.labelled(1, true), 'open');
  t.is(directory.labelled(3, 8n), 'automatic');
  t.is(directory.unlabelled(1, 'gone'), -1);
  t.is(directory.unlabelled(1, 7), 7);
  t.is(directory.unlabelled(0, 'text'), 'text');
  const error = t.throws(() => directory.unlabelled(3, 'manual')) as EtherCatError;
  t.is(error.code, 'ECAT_ERR_VALUE_RANGE');
  t.is(error.message, 'tag mode: expected one of automatic, or a number, got "manual"');
});

test('a buffer that is no directory is refused', (t) => {
  t.throws(() => new TagDirectory(new SharedArrayBuffer(4)), { code: 'ECAT_ERR_INTERNAL' });
  const cut = new Uint8Array(TagDirectory.build([{ name: 'a' }]).buffer).slice(0, 40);
  const buffer = new SharedArrayBuffer(40);
  new Uint8Array(buffer).set(cut);
  t.throws(() => new TagDirectory(buffer), { code: 'ECAT_ERR_INTERNAL' });
});

test('a misspelt name is told with a guess, as long as there are not too many to look at', (t) => {
  const messageOf = (directory: TagDirectory): string | undefined =>
    t.throws(() => directory.numberOf('valve.opne'), { code: 'ECAT_ERR_TAG_UNKNOWN' })?.message;
  const names = [{ name: 'pump.speed' }, { name: 'valve.open' }];
  t.is(messageOf(TagDirectory.build(names)), 'there is no tag valve.opne; did you mean valve.open?');
  const many = Array.from({ length: 1000 }, (_, n) => ({ name: `tag ${n}` }));
  t.is(messageOf(TagDirectory.build([...names, ...many])), 'there is no tag valve.opne');
});

test('names of tags that are not there are errors with the name', (t) => {
  const directory = TagDirectory.build([]);
  t.like(
    t.throws(() => directory.numberOf('nothing')),
    { code: 'ECAT_ERR_TAG_UNKNOWN', tag: 'nothing' },
  );
  t.is(directory.find(undefined as never), undefined);
});
