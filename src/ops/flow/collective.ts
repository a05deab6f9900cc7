// Reductions and exchanges among the members of a group of devices. A session here has one device, so groups of one are all that can come together; of a larger
// group the others never come, and the operation says so after its time, as TensorFlow's does.

import { DeadlineExceededError, InternalError, InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type HostContext } from "../../graph/op-definition.ts";
import { numbersOf } from "../array/array.ts";
import { pause } from "../data/host-waiting.ts";
import { shown } from "../summary/tensor-summary.ts";

const gathered = ["float32", "float16", "float64", "int32", "int64"] as const;
const reduced = ["bfloat16", ...gathered] as const;
const spread = ["bool", ...gathered] as const;
const waiting = { communicationHint: attr.string("auto"), timeoutSeconds: attr.float(0) };
const group = { groupSize: attr.int(), groupKey: attr.int(), instanceKey: attr.int() };
const merging = { mergeOp: attr.oneOf(["Min", "Max", "Mul", "Add"]), finalOp: attr.oneOf(["Id", "Div"]) };

interface Group {
  readonly groupSize: number;
  readonly timeoutSeconds: number;
}

/** @throws DeadlineExceededError after the time that the operation is given, where there should be others. */
async function meet({ groupSize, timeoutSeconds }: Group, { signal }: HostContext): Promise<void> {
  if (groupSize <= 0) throw new InvalidArgumentError(`group_size must be positive integer but got ${groupSize}`);
  if (groupSize === 1) return;
  if (timeoutSeconds <= 0)
    throw new InternalError(
      `A group of ${groupSize} has no other member here, where a session has one device: make the graph for a group of one, or run it on a cluster.`,
    );
  await pause(timeoutSeconds * 1000, signal);
  throw new DeadlineExceededError("Collective has timed out waiting for other workers.");
}

/** The sum, product, least or greatest of the members' values, element by element. */
export const CollectiveReduce = defineOp("CollectiveReduce", {
  inputs: { input: "T" },
  outputs: { data: "T" },
  attrs: { T: attr.type(reduced), ...group, ...merging, subdivOffsets: attr.ints(), waitFor: attr.ints([]), ...waiting },
  stateful: true,
  waits: true,
  shape: ({ input }) => input,
  host: async ({ input, ...rest }, context) => {
    await meet(rest, context);
    return input;
  },
});

/** The members' values along the first axis. */
export const CollectiveGather = defineOp("CollectiveGather", {
  inputs: { input: "T" },
  outputs: { data: "T" },
  attrs: { T: attr.type(gathered), ...group, shape: attr.shape(), ...waiting },
  stateful: true,
  waits: true,
  shape: ({ input, shape }) => {
    const rows = shape.dims?.[0];
    return input.dims === null || rows === undefined ? TensorShape.unknown() : new TensorShape([rows, ...input.dims.slice(1)]);
  },
  host: async ({ input, ...rest }, context) => {
    await meet(rest, context);
    return input;
  },
});

/** Gives a value to all members. */
export const CollectiveBcastSend = defineOp("CollectiveBcastSend", {
  inputs: { input: "T" },
  outputs: { data: "T" },
  attrs: { T: attr.type(spread), ...group, shape: attr.shape(), ...waiting },
  stateful: true,
  waits: true,
  shape: ({ shape }) => shape,
  host: async ({ input, shape, ...rest }, context) => {
    if (shape.isFullyDefined && shape.asNumbers().join() !== input.shape.join())
      throw new InternalError(`Expected shape ${shape.format()} got [${input.shape}]`);
    await meet(rest, context);
    return input;
  },
});

// ---- sizes and keys as inputs ----

const keyInputs = { groupSize: "int32", groupKey: "int32", instanceKey: "int32" } as const;
const tokens = { Nordering_token: attr.int(0, 0), isStateless: attr.bool(false) };

type Keys = Readonly<Record<keyof typeof keyInputs, NDArray>>;

/** The size of the group. @throws InvalidArgumentError unless sizes and keys are scalars. */
function sizeOfGroup(keys: Keys): number {
  for (const [name, key] of [
    ["group_size", keys.groupSize],
    ["group_key", keys.groupKey],
    ["instance_key", keys.instanceKey],
  ] as const)
    if (key.rank > 0) throw new InvalidArgumentError(`Unexpected dimensions on input ${name}, got [${key.shape}]`);
  return Number(keys.groupSize.get(0));
}

const meetByKeys = (keys: Keys, timeoutSeconds: number, context: HostContext): Promise<void> =>
  meet({ groupSize: sizeOfGroup(keys), timeoutSeconds }, context);

/** Reduces as CollectiveReduce does. */
export const CollectiveReduceV2 = defineOp("CollectiveReduceV2", {
  inputs: { input: "T", ...keyInputs, orderingToken: "Nordering_token*resource" },
  outputs: { data: "T" },
  attrs: {
    T: attr.type(reduced),
    ...merging,
    ...waiting,
    isStateless: tokens.isStateless,
    Nordering_token: tokens.Nordering_token,
    maxSubdivsPerDevice: attr.int(-1),
  },
  stateful: true,
  waits: true,
  shape: ({ input }) => input,
  host: async ({ input, timeoutSeconds, ...keys }, context) => {
    await meetByKeys(keys, timeoutSeconds, context);
    return input;
  },
});

/** Gathers as CollectiveGather does. */
export const CollectiveGatherV2 = defineOp("CollectiveGatherV2", {
  inputs: { input: "T", ...keyInputs, orderingToken: "Nordering_token*resource" },
  outputs: { data: "T" },
  attrs: { T: attr.type(gathered), ...waiting, isStateless: tokens.isStateless, Nordering_token: tokens.Nordering_token },
  stateful: true,
  waits: true,
  shape: ({ input }) => {
    const { dims } = input.withRankAtLeast(1);
    return dims === null ? TensorShape.unknown() : new TensorShape([null, ...dims.slice(1)]);
  },
  host: async ({ input, timeoutSeconds, ...keys }, context) => {
    await meetByKeys(keys, timeoutSeconds, context);
    return input;
  },
});

/** Gives a value to all members, as CollectiveBcastSend does. */
export const CollectiveBcastSendV2 = defineOp("CollectiveBcastSendV2", {
  inputs: { input: "T", ...keyInputs },
  outputs: { data: "T" },
  attrs: { T: attr.type(spread), ...waiting },
  stateful: true,
  waits: true,
  shape: ({ input }) => input,
  host: async ({ input, timeoutSeconds, ...keys }, context) => {
    await meetByKeys(keys, timeoutSeconds, context);
    return input;
  },
});

/** The size of the group that a device is in, and its key: groups are rows of device numbers. */
export const CollectiveAssignGroupV2 = defineOp("CollectiveAssignGroupV2", {
  inputs: { groupAssignment: "int32", deviceIndex: "int32", baseKey: "int32" },
  outputs: { groupSize: "int32", groupKey: "int32" },
  attrs: {},
  stateful: true,
  shape: () => [new TensorShape([]), new TensorShape([])],
  host: ({ groupAssignment, deviceIndex, baseKey }) => {
    const { shape, size } = groupAssignment;
    if (shape.length !== 2)
      throw new InvalidArgumentError(`group_assignment must be a 2-d Tensor, but received tensor of shape: [${shape}]`);
    const members = numbersOf(groupAssignment);
    const seen = new Set<number>();
    for (const member of members) {
      if (member < 0 || member >= size)
        throw new InvalidArgumentError(`Not all items in group_assignment ${shown(groupAssignment)} is within [0, number of devices)`);
      if (seen.has(member)) throw new InvalidArgumentError(`group_assignment ${shown(groupAssignment)} is not a permutation of devices`);
      seen.add(member);
    }
    const at = members.indexOf(Number(deviceIndex.get(0)));
    if (at < 0)
      throw new InvalidArgumentError(`device_index ${deviceIndex.get(0)} is not found in group_assignment ${shown(groupAssignment)}`);
    const key = Number(baseKey.get(0)) + Math.floor(at / shape[1]);
    return [NDArray.full("int32", [], shape[1]), NDArray.full("int32", [], key)];
  },
});
