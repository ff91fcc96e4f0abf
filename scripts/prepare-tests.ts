/** Gets the software of others that tests run, so that no test waits for a download. What cannot be had, tests tell. */

import { whyNoTestWire } from '../test/support/namespaces.ts';
import { pythonWithSoem } from '../test/support/soem-python.ts';
import { findTshark } from '../test/support/tshark.ts';

findTshark();
if (whyNoTestWire() === undefined) pythonWithSoem();
