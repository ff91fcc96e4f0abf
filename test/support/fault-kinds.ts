/** Everything that can go wrong in a simulated segment, by its schema. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Kinds {
  readonly kind: { readonly enum: readonly string[] };
}

const file = join(import.meta.dirname, '../../schemas/segment.schema.json');
const { $defs } = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly $defs: {
    readonly fault: {
      readonly properties: {
        readonly effect: { readonly properties: Kinds & { readonly does: { readonly properties: Kinds } } };
      };
    };
  };
};
const { kind, does } = $defs.fault.properties.effect.properties;

/** Kinds of effects of a fault. */
export const effectKinds: readonly string[] = kind.enum;
/** Kinds of what the effect `mail` does. */
export const mailEffectKinds: readonly string[] = does.properties.kind.enum;
