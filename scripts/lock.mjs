// One set-up at a time in a clone, so that `npm start` and `npm test` in two terminals do not harm each other.

import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 200;

/**
 * Runs `work` while no other process of this machine runs under the same name.
 *
 * The lock is a Linux abstract socket: the kernel lets one process bind it, and frees it when that process ends in
 * whatever way, so there is no stale lock to clean up.
 *
 * @param {string} name what is locked, for example the root of the clone
 * @param {() => Promise<T>} work
 * @param {() => void} [onWait] called once if another process is at it
 * @returns {Promise<T>}
 * @template T
 */
export async function withLock(name, work, onWait = () => {}) {
  const address = `\0bifrost-ethercat-setup-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  let server = await bind(address);
  if (server === undefined) onWait();
  while (server === undefined) {
    await sleep(RETRY_MS);
    server = await bind(address);
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}

function bind(address) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () => resolve(server));
  });
}
