import test from 'ava';
import { MainDevice } from '../../src/index.ts';
import { faultOfPage } from './page.ts';
import { configuration, powered, refused } from './support.ts';

/** Demanded, and the parts of it as errors name them. */
const DEMANDED = { vendor_id: 0xe0b1f057, product_code: 1, revision: 1, serial: 1 };

const OTHERS = [
  ['vendor', 'vendor_id', 'vendorId', 0x1234],
  ['product', 'product_code', 'productCode', 0x77],
  ['revision', 'revision', 'revision', 0x10],
  ['serial', 'serial', 'serial', 4711],
] as const;

for (const [name, key, part, found] of OTHERS)
  test(`a device with another ${name} is refused before it has outputs, by place, name and both identities`, async (t) => {
    const faults = [faultOfPage(import.meta.url, name)];
    const demanded = { [key]: DEMANDED[key] };
    const { error, changes, hits } = await refused(t, { drive: DEMANDED, demanded, faults });
    t.like(error, {
      code: 'ECAT_ERR_DEVICE_MISMATCH',
      position: 3,
      subDevice: 'drive',
      expected: { [part]: DEMANDED[key] },
      found: { [part]: found },
    });
    t.deepEqual(await changes(), ['drive AL status: 0x1 to 0x2']);
    t.deepEqual(hits(), [`${name} drive: began`]);
  });

test('what nobody demands is not compared', async (t) => {
  const { machine } = await powered(t, { faults: [faultOfPage(import.meta.url, 'vendor')] });
  await using bus = await MainDevice.open(configuration({ demanded: { revision: 1 } }), { segment: machine });
  t.is(bus.subDevice('drive').identity.vendorId, 0x1234);
});
