// What is left where a graph was cut into parts for devices and workers, or rewritten before it ran: values sent and received, conversions in
// the host's memory, rows written in turn. Here all parts are on one device.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { encodeText, type NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type HostContext } from "../../graph/op-definition.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { need } from "../arguments.ts";
import { WaitingLine } from "../data/host-waiting.ts";
import { castTo } from "../math/cast.ts";
import { bucketOf, farmHash } from "../string/hash.ts";

// ---- sent and received ----

const channelAttrs = {
  tensorName: attr.string(),
  sendDevice: attr.string(),
  sendDeviceIncarnation: attr.int(),
  recvDevice: attr.string(),
  clientTerminated: attr.bool(false),
};

interface Channel {
  readonly tensorName: string;
  readonly sendDevice: string;
  readonly sendDeviceIncarnation: number;
  readonly recvDevice: string;
}

/** Values on their way, first come, first served. */
class Mailbox {
  private readonly letters = new Map<string, NDArray[]>();
  private readonly line = new WaitingLine();

  put(key: string, value: NDArray): void {
    this.letters.set(key, [...(this.letters.get(key) ?? []), value]);
    this.line.changed();
  }

  take(key: string, signal: AbortSignal): Promise<NDArray> {
    return this.line.until(() => this.letters.get(key)?.shift(), signal, "RecvAsync is cancelled.");
  }
}

const mailbox = ({ object }: HostContext): Mailbox => object({ id: "mailbox", make: () => new Mailbox() }) as Mailbox;
const keyOf = ({ sendDevice, sendDeviceIncarnation, recvDevice, tensorName }: Channel): string =>
  [sendDevice, sendDeviceIncarnation, recvDevice, tensorName].join(";");

const sending = {
  inputs: { tensor: "T" },
  outputs: {},
  attrs: { T: attr.type(), ...channelAttrs },
  stateful: true,
  waits: true,
  shape: () => undefined,
  host: ({ tensor, ...channel }: { readonly tensor: NDArray } & Channel, context: HostContext): void =>
    mailbox(context).put(keyOf(channel), tensor),
} as const;

const receiving = {
  inputs: {},
  outputs: { tensor: "tensorType" },
  attrs: { tensorType: attr.type(), ...channelAttrs },
  stateful: true,
  waits: true,
  shape: () => TensorShape.unknown(),
  host: async ({ tensorType, ...channel }: { readonly tensorType: DType } & Channel, context: HostContext): Promise<NDArray> => {
    const value = await mailbox(context).take(keyOf(channel), context.signal);
    if (value.dtype !== tensorType)
      throw new InvalidArgumentError(`A value of type ${value.dtype} was sent, and one of ${tensorType} is received.`);
    return value;
  },
} as const;

/** Leaves a value for the operation that receives it. */
export const Send = defineOp("Send", sending);
/** The value that was left for it; waits until it is. */
export const Recv = defineOp("Recv", receiving);
/** The same, as TensorFlow cuts graphs. */
export const PartitionSend = defineOp("_Send", sending);
export const PartitionRecv = defineOp("_Recv", receiving);
/** The same for values in the host's memory. */
export const HostSend = defineOp("_HostSend", sending);
export const HostRecv = defineOp("_HostRecv", receiving);

// ---- conversions and hashes ----

/** A conversion in the host's memory. */
export const HostCast = defineOp("_HostCast", {
  inputs: { x: "SrcT" },
  outputs: { y: "DstT" },
  attrs: { SrcT: attr.type(), DstT: attr.type(), Truncate: attr.bool(false) },
  shape: ({ x }) => x,
  lower: ({ x, DstT, Truncate }) => castTo(x, DstT, Truncate),
});

/** A number in [0, numBuckets) for each integer, by the hash of its decimal digits. */
export const TensorToHashBucketFast = defineOp("_TensorToHashBucketFast", {
  inputs: { input: "T" },
  outputs: { output: "int64" },
  attrs: { T: attr.type(["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]), numBuckets: attr.int(undefined, 1) },
  shape: ({ input }) => input,
  lower: ({ input, numBuckets, T }) => {
    if (T.startsWith("uint")) throw new InvalidArgumentError(`Type not supported: ${T}`);
    const run = ([numbers]: readonly NDArray[], [out]: readonly NDArray[]): void => {
      for (let i = 0; i < numbers.size; i++) out.set(i, bucketOf(farmHash, encodeText(String(numbers.get(i))), numBuckets));
    };
    return ir.call({ name: "hashBucketsOfNumbers", run }, [input], [{ dtype: "int64", shape: input.shape }])[0];
  },
});

// ---- rows written in turn ----

/** Memory for rows that are written one after the other. */
export const ParallelConcatStart = defineOp("_ParallelConcatStart", {
  inputs: {},
  outputs: { output: "dtype" },
  attrs: { shape: attr.shape(), dtype: attr.type() },
  stateful: true,
  shape: ({ shape }) => shape,
  lower: ({ shape, dtype }) => ir.zeros(dtype, shape.asNumbers()),
});

/** `value` with its row `loc` replaced; rows are counted round and round. */
export const ParallelConcatUpdate = defineOp("_ParallelConcatUpdate", {
  inputs: { value: "T", update: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), loc: attr.int() },
  shape: ({ value }) => value,
  checks: ({ value, update }) => {
    const refused = (): string => `value and update shape doesn't match [${value}] vs. [${update}]`;
    need(value.length > 0, () => "value must have at least one dimension.");
    need(value.length === update.length && value.slice(1).every((size, k) => size === update[k + 1]), refused);
    need(update[0] === 1, () => "update shape must have size 1 in dimension 0");
  },
  lower: ({ value, update, loc }) => {
    const rows = value.shape[0];
    const row = ((loc % rows) + rows) % rows;
    const rest = value.shape.slice(1);
    const part = (from: number, count: number): Value => ir.slice(value, [from, ...rest.map(() => 0)], [count, ...rest]);
    return ir.concat([part(0, row), update, part(row + 1, rows - row - 1)], 0);
  },
});
