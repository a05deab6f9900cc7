// Mutexes: what is done between taking the lock and giving it back happens as one. Runs of a session take turns here, and a run is a sequence: the
// nodes of a section are made one after the other and computed in that order, so that the lock itself has nothing to do.

import { TensorShape } from "../../base/shape.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { NDArray } from "../../base/ndarray.ts";
import { handleFields, objectId, sharedAttrs } from "../data/host-handles.ts";

const scalar = new TensorShape([]);

export const MutexV2 = defineOp("MutexV2", {
  inputs: {},
  outputs: { resource: "resource" },
  attrs: sharedAttrs,
  ...handleFields,
  resource: (attrs, op) => ({ id: objectId("mutex", attrs, op), make: () => ({}) }),
});

/** Takes the lock; the value stands for it until it is consumed. */
export const MutexLock = defineOp("MutexLock", {
  inputs: { mutex: "resource" },
  outputs: { mutexLock: "variant" },
  attrs: {},
  stateful: true,
  gradient: "none",
  shape: () => scalar,
  host: () => new NDArray("variant", [], new Uint8Array(1)),
});

/** Gives the lock back. */
export const ConsumeMutexLock = defineOp("ConsumeMutexLock", {
  inputs: { mutexLock: "variant" },
  outputs: {},
  attrs: {},
  stateful: true,
  gradient: "none",
  shape: () => undefined,
  host: () => undefined,
});
