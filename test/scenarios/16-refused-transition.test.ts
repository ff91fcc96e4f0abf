import test from 'ava';
import { faultsOfPage } from './page.ts';
import { counted, refused } from './support.ts';

test('a refused state is told with the code of the device, in words', async (t) => {
  const { machine, error, changes, hits } = await refused(t, { faults: faultsOfPage(import.meta.url) });
  t.like(error, {
    code: 'ECAT_ERR_STATE_REFUSED',
    position: 3,
    subDevice: 'drive',
    alStatusCode: 0x1e,
    requestedState: 4,
    state: 2,
  });
  t.regex(error.message, /invalid input configuration/);
  t.deepEqual(counted(await changes()), []);
  t.false(await machine.device('out').output(1).read());
  t.deepEqual(hits(), ['wrong PDOs drive: done']);
});
