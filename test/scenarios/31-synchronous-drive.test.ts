import test from 'ava';
import { yamlOfPage } from './page.ts';
import { counted, refused } from './support.ts';

const [drive] = yamlOfPage(import.meta.url).devices!;

for (const distributed_clocks of [false, true])
  test(`a drive without its pulses is refused with its code, ${distributed_clocks ? 'with' : 'without'} distributed clocks`, async (t) => {
    const { machine, error, changes } = await refused(t, { drive: { ...drive }, master: { distributed_clocks } });
    t.like(error, {
      code: 'ECAT_ERR_STATE_REFUSED',
      position: 3,
      subDevice: 'drive',
      alStatusCode: 0x30,
      requestedState: 4,
    });
    t.regex(error.message, /sync/i);
    for (const device of machine.devices) t.is(await device.state.read(), 'INIT', device.name);
    t.deepEqual(counted(await changes()), []);
    t.false(await machine.device('out').output(1).read());
  });
