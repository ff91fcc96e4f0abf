import { inspect } from 'node:util';
import test from 'ava';
import { EtherCatError } from '../../src/core/errors/ethercat-error.ts';
import { errorFromFailures, errorFromThrown, translated } from '../../src/core/errors/from-binding.ts';

test('an error says what the table knows about its code', (t) => {
  const error = new EtherCatError('ECAT_ERR_LINK_BUSY', 'eth0 is taken');
  t.is(error.name, 'EtherCatError');
  t.is(error.message, 'eth0 is taken');
  t.is(error.category, 'network');
  t.true(error.recoverable);
  t.regex(error.action, /Close the other MainDevice/);
});

test('only what is known is there, so that a printed error shows nothing empty', (t) => {
  const error = new EtherCatError('ECAT_ERR_STATE_REFUSED', 'refused', {
    position: 3,
    alStatusCode: 0x1d,
    subDevice: undefined,
  });
  t.false('subDevice' in error);
  t.false('register' in error);
  t.notRegex(inspect(error), /undefined/);
  t.deepEqual([error.position, error.alStatusCode], [3, 0x1d]);
});

test('a message begins with the place in the configuration', (t) => {
  const location = { file: 'plant.yaml', line: 4, column: 18 };
  t.is(
    new EtherCatError('ECAT_ERR_CONFIGURATION_INVALID', 'is wrong', { location }).message,
    'plant.yaml:4:18 is wrong',
  );
});

test('instanceof holds across two loaded copies of the class, and for subclasses of it only for their own', async (t) => {
  const copy = new URL('../../src/core/errors/ethercat-error.ts?copy', import.meta.url);
  const other = (await import(copy.href)) as { EtherCatError: typeof EtherCatError };
  t.not(other.EtherCatError, EtherCatError);
  t.true(new other.EtherCatError('ECAT_ERR_CLOSED', 'closed') instanceof EtherCatError);
  class Special extends EtherCatError {}
  t.false(new EtherCatError('ECAT_ERR_CLOSED', 'closed') instanceof Special);
  t.true(new Special('ECAT_ERR_CLOSED', 'closed') instanceof EtherCatError);
  t.false(new Error('closed') instanceof EtherCatError);
  t.false((null as unknown) instanceof EtherCatError);
});

test('several failures become one error that holds and lists them all', (t) => {
  const error = errorFromFailures([
    { code: 'ECAT_ERR_STATE_REFUSED', message: 'SubDevice 3 refused SAFE-OP', position: 3, alStatusCode: 0x1d },
    { code: 'ECAT_ERR_STATE_TIMEOUT', message: 'SubDevice 7 did not reach SAFE-OP', position: 7 },
  ]);
  t.is(error.code, 'ECAT_ERR_STATE_REFUSED');
  t.is(error.position, 3);
  t.is(error.alStatusCode, 0x1d);
  t.deepEqual(
    error.errors?.map(({ code, position }) => [code, position]),
    [
      ['ECAT_ERR_STATE_REFUSED', 3],
      ['ECAT_ERR_STATE_TIMEOUT', 7],
    ],
  );
  t.regex(error.message, /2 problems:\n {2}SubDevice 3 .*\n {2}SubDevice 7 /);
});

test('a single failure stays a plain error, and a long list is cut', (t) => {
  const failure = { code: 'ECAT_ERR_SUBDEVICE_LOST', message: 'lost' };
  t.is(errorFromFailures([failure]).errors, undefined);
  const many = errorFromFailures(Array.from({ length: 100 }, () => failure));
  t.is(many.errors?.length, 100);
  t.regex(many.message, /and 90 more$/);
  t.is(errorFromFailures([]).code, 'ECAT_ERR_INTERNAL');
});

test('exceptions of native calls keep their code, fields and cause; a code of another build is not lost', (t) => {
  const thrown = Object.assign(new Error('no such interface'), { code: 'ECAT_ERR_LINK_INTERFACE_MISSING' });
  const error = errorFromThrown(thrown);
  t.is(error.code, 'ECAT_ERR_LINK_INTERFACE_MISSING');
  t.is(error.cause, thrown);
  t.is(errorFromThrown(error), error);
  t.is(errorFromThrown(new TypeError('not a number')).code, 'ECAT_ERR_INTERNAL');
  t.regex(errorFromFailures([{ code: 'ECAT_ERR_FROM_LATER', message: 'new' }]).message, /ECAT_ERR_FROM_LATER: new/);
  t.throws(
    () =>
      translated(() => {
        throw thrown;
      }),
    { code: 'ECAT_ERR_LINK_INTERFACE_MISSING' },
  );
  t.is(
    translated(() => 7),
    7,
  );
});

test('an error crosses a thread as its plain form', (t) => {
  const location = { file: 'plant.yaml', line: 1, column: 2 };
  const one = new EtherCatError('ECAT_ERR_TAG_TYPE', 'is wrong', { location, tag: 'a' });
  const two = EtherCatError.combine([one, new EtherCatError('ECAT_ERR_TAG_UNRESOLVED', 'is missing', { tag: 'b' })]);
  for (const error of [one, two]) {
    const copy = EtherCatError.fromObject(structuredClone(error.toJSON()));
    t.true(copy instanceof EtherCatError);
    t.deepEqual(copy.toJSON(), error.toJSON());
  }
});
