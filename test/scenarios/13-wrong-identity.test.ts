import test from 'ava';
import { faultsOfPage } from './page.ts';
import { refused } from './support-devices.ts';

const DEMANDED = { vendor_id: 0x0e7f };

test('a device of another vendor is refused before it has outputs, by place, name and both identities', async (t) => {
  const { machine, error, changes } = await refused(t, faultsOfPage(import.meta.url), DEMANDED);
  t.like(error, {
    code: 'ECAT_ERR_DEVICE_MISMATCH',
    position: 3,
    subDevice: 'drive',
    expected: { vendorId: 0x0e7f },
    found: { vendorId: 0x1234 },
  });
  t.deepEqual(changes, ['drive AL status: 0x1 to 0x2']);
  t.like(machine.hits().hits, [{ fault: 'other drive', kind: 'identity', device: 'drive', change: 'began' }]);
});
