// OPC UA beside `npm run bench`: a server whose variable changes every ms, and a client that monitors it. For each
// number of changes on the standard input, one line with the percentiles from the change to the client's callback.
//
//   node opcua.mjs [MS]    a publishing interval below that of the library's own limit

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AttributeIds,
  ClientMonitoredItem,
  ClientSubscription,
  DataType,
  MessageSecurityMode,
  OPCUACertificateManager,
  OPCUAClient,
  OPCUAServer,
  SecurityPolicy,
  StatusCodes,
  Subscription,
  TimestampsToReturn,
} from 'node-opcua';
import { serve } from './reference.mjs';

/** More than a publishing interval holds at one change a ms: no value is to be dropped. */
const QUEUE = 5_000;

if (process.argv[2] !== undefined) Subscription.minimumPublishingInterval = Number(process.argv[2]);

const folder = mkdtempSync(join(tmpdir(), 'bifrost-ethercat-opcua-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const certificates = (name) =>
  new OPCUACertificateManager({ rootFolder: join(folder, name), automaticallyAcceptUnknownCertificate: true });

const server = new OPCUAServer({
  port: 0,
  host: '127.0.0.1',
  hostname: '127.0.0.1',
  disableDiscovery: true,
  securityModes: [MessageSecurityMode.None],
  securityPolicies: [SecurityPolicy.None],
  // 0: every change is told as it happens; otherwise those within 50 ms become one.
  serverCapabilities: { minSupportedSampleRate: 0 },
  serverCertificateManager: certificates('server'),
  userCertificateManager: certificates('users'),
});
await server.initialize();
const space = server.engine.addressSpace;
const namespace = space.getOwnNamespace();
const variable = namespace.addVariable({
  organizedBy: space.rootFolder.objects,
  browseName: 'value',
  nodeId: 's=value',
  dataType: DataType.Int32,
  minimumSamplingInterval: 0,
  value: { dataType: DataType.Int32, value: -1 },
});
await server.start();

const client = OPCUAClient.create({
  endpointMustExist: false,
  clientCertificateManager: certificates('client'),
});
await client.connect(`opc.tcp://127.0.0.1:${server.endpoints[0].port}`);
const session = await client.createSession();
// What the server allows at best comes back in the subscription.
const subscription = await ClientSubscription.create(session, {
  requestedPublishingInterval: 1,
  requestedLifetimeCount: 10_000,
  requestedMaxKeepAliveCount: 1_000,
  maxNotificationsPerPublish: 0,
  publishingEnabled: true,
  priority: 10,
});
let onValue = () => undefined;
const item = ClientMonitoredItem.create(
  subscription,
  { nodeId: variable.nodeId, attributeId: AttributeIds.Value },
  { samplingInterval: 0, queueSize: QUEUE, discardOldest: false },
  TimestampsToReturn.Neither,
);
const first = new Promise((resolve) => item.once('changed', resolve));
item.on('changed', ({ value }) => onValue(value.value));
await first;

await serve({
  told: { publishingMs: subscription.publishingInterval },
  listen: (callback) => {
    onValue = callback;
  },
  change: (value) => variable.setValueFromSource({ dataType: DataType.Int32, value }, StatusCodes.Good),
});

await client.disconnect();
await server.shutdown(0);
process.exit(0);
