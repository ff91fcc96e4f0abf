// A bus below the public API: for what a case reads or does beside the application.

import { loadConfiguration } from '../src/core/configuration/load.ts';
import type { ConfigurationDocument } from '../src/core/configuration/types.ts';
import { Session } from '../src/core/session.ts';

/** A session in OP, without a decode worker. */
export async function openSession(plant: ConfigurationDocument): Promise<Session & AsyncDisposable> {
  const session = await Session.bringUp(await loadConfiguration(plant, {}), undefined);
  session.listen({
    event: () => undefined,
    failure: (error) => {
      throw error;
    },
    pumped: () => undefined,
  });
  await session.reachOp(undefined);
  return Object.assign(session, {
    async [Symbol.asyncDispose]() {
      session.requestClose();
      await session.awaitClosed();
      session.release();
    },
  });
}
