// MQTT beside `npm run bench`: a broker, and a client on a socket that publishes a value every ms and subscribes to
// it. For each number of values on the standard input, one line with the percentiles from publishing to the callback.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import { serve } from './reference.mjs';

const TOPIC = 'plant/value';

const broker = await Aedes.createBroker();
const server = createServer(broker.handle).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `mqtt://127.0.0.1:${server.address().port}`;
const publisher = await mqtt.connectAsync(url);
const subscriber = await mqtt.connectAsync(url);
let onValue = () => undefined;
subscriber.on('message', (_topic, payload) => onValue(payload.readInt32LE()));
await subscriber.subscribeAsync(TOPIC, { qos: 0 });

const payload = Buffer.alloc(4);
await serve({
  told: {},
  listen: (callback) => {
    onValue = callback;
  },
  change: (value) => {
    payload.writeInt32LE(value);
    publisher.publish(TOPIC, Buffer.from(payload), { qos: 0 });
  },
});
process.exit(0);
