// Memory of one run that is written through references, a choice among references, and values that stay in the session between runs under a text.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { decodeText, NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type HostContext } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { placeholder } from "../array/array.ts";
import { inNameScope, named, type NameOption } from "../named.ts";
import { bytesAt } from "../string/string.ts";

const scalar = new TensorShape([]);

// ---- of one run ----

/** Memory that is there until it is destroyed, within one run. */
export const TemporaryVariable = defineOp("TemporaryVariable", {
  inputs: {},
  outputs: { ref: "Ref(dtype)" },
  attrs: { shape: attr.shape(), dtype: attr.type(), varName: attr.string("") },
  stateful: true,
  shape: ({ shape }) => shape,
  lower: ({ shape, dtype }, context) => {
    if (!shape.isFullyDefined)
      throw new InvalidArgumentError(`The shape of temporary variable '${context.name}' has to be known, and is ${shape.format()}.`);
    return context.state({ id: `temporary:${context.name}`, role: "scratch", dtype, shape: shape.asNumbers() });
  },
});

/** The last value of a temporary variable. */
export const DestroyTemporaryVariable = defineOp("DestroyTemporaryVariable", {
  inputs: { ref: "Ref(T)" },
  outputs: { value: "T" },
  attrs: { T: attr.type(), varName: attr.string() },
  shape: ({ ref }) => ref,
  lower: ({ ref }) => ref.read(),
});

/** One of several references, by its number. */
export const RefSelect = defineOp("RefSelect", {
  inputs: { index: "int32", inputs: "N*Ref(T)" },
  outputs: { output: "Ref(T)" },
  attrs: { T: attr.type(), N: attr.int(undefined, 1) },
  compileTimeInputs: ["index"],
  sizesFromValues: false,
  shape: ({ index, inputs }) => {
    index.withRank(0);
    const [first, ...rest] = inputs;
    return rest.every(shape => shape.equals(first)) ? first : TensorShape.unknown();
  },
  lower: ({ index, inputs }) => {
    const at = Number(index.get(0));
    if (at < 0 || at >= inputs.length) throw new InvalidArgumentError(`Index must be in the range [0, ${inputs.length}) but got ${at}`);
    return inputs[at];
  },
});

// ---- between runs ----

interface Kept {
  readonly values: Map<string, NDArray>;
  count: number;
}

const keptBy = ({ object }: HostContext): Kept =>
  object({ id: "sessionTensors", make: (): Kept => ({ values: new Map(), count: 0 }) }) as Kept;

/** Keeps a value in the session; gives the text that stands for it. */
export const GetSessionHandle = defineOp("GetSessionHandle", {
  inputs: { value: "T" },
  outputs: { handle: "string" },
  attrs: { T: attr.type() },
  stateful: true,
  gradient: "none",
  shape: () => scalar,
  host: ({ value }, context) => {
    const kept = keptBy(context);
    const handle = `${context.name};${kept.count++};/job:localhost/replica:0/task:0/device:CPU:0`;
    kept.values.set(handle, new NDArray(value.dtype, value.shape, value.data.slice()));
    return NDArray.from(handle, "string");
  },
});

/** The value that a text stands for. */
export const GetSessionTensor = defineOp("GetSessionTensor", {
  inputs: { handle: "string" },
  outputs: { value: "dtype" },
  attrs: { dtype: attr.type() },
  stateful: true,
  gradient: "none",
  shape: ({ handle }) => {
    handle.withRank(0);
    return TensorShape.unknown();
  },
  host: ({ handle, dtype }, context) => {
    const name = decodeText(bytesAt(handle, 0));
    const value = keptBy(context).values.get(name);
    if (!value) throw new InvalidArgumentError(`The tensor with handle '${name}' is not in the session store.`);
    if (value.dtype !== dtype) throw new InvalidArgumentError(`The tensor with handle '${name}' is of type ${value.dtype}, not ${dtype}.`);
    return value;
  },
});

/** Forgets the value that a text stands for. */
export const DeleteSessionTensor = defineOp("DeleteSessionTensor", {
  inputs: { handle: "string" },
  outputs: {},
  attrs: {},
  stateful: true,
  gradient: "none",
  shape: ({ handle }) => void handle.withRank(0),
  host: ({ handle }, context) => {
    const name = decodeText(bytesAt(handle, 0));
    if (!keptBy(context).values.delete(name))
      throw new InvalidArgumentError(`The tensor with handle '${name}' is not in the session store.`);
  },
});

/** Keeps a value in the session; running the result gives a text to feed to what `getSessionTensor` makes. TF: tf.get_session_handle(data, name), whose
 *  run gives an object around that text. */
export const getSessionHandle = (data: TensorLike, options?: NameOption): Tensor => GetSessionHandle({ value: data }, named(options));

/** A placeholder for the text, and the value of type `dtype` that it stands for. TF: tf.get_session_tensor(handle, dtype, name), whose first argument
 *  tells the device. */
export const getSessionTensor = (_handle: unknown, dtype: DType, options?: NameOption): [holder: Tensor, tensor: Tensor] =>
  inNameScope(options, "get_session_tensor", [], () => {
    const holder = placeholder("string");
    return [holder, GetSessionTensor({ handle: holder, dtype })];
  });

/** A placeholder for the text, and the operation that forgets what it stands for. TF: tf.delete_session_tensor(handle, name). */
export const deleteSessionTensor = (_handle: unknown, options?: NameOption): [holder: Tensor, deleter: Operation] =>
  inNameScope(options, "delete_session_tensor", [], () => {
    const holder = placeholder("string");
    return [holder, DeleteSessionTensor({ handle: holder })];
  });
