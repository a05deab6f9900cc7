// Components of elements as bytes, as TensorFlow keeps them in files of datasets: TensorProtos with their content in one piece. Sparse and ragged tensors are
// variants there, each a message of its own (VariantTensorData) that holds tensors.

import { InvalidArgumentError, UnimplementedError } from "../../base/errors.ts";
import { decodeText, encodeText, type NDArray } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import { createMessage, messageFromBytes, messageToBytes } from "../../formats/message-codec.ts";
import type { Message } from "../../formats/messages.ts";
import { arrayFromMessage, arrayToTypedValues, shapeFromMessage, shapeToMessage } from "../../formats/tensor-message.ts";
import { eachField, WireReader, WireWriter, written } from "../../formats/wire.ts";
import { dtypeEnumName } from "../../base/dtype.ts";
import { TensorVariants } from "../flow/variant-array.ts";
import { type Encoded, RaggedArray } from "../sparse/ragged.ts";
import { packedTensor, tensorOfBytes } from "../string/bytes.ts";

const [tensorType, raggedType] = ["tensorflow::Tensor", "RaggedTensorVariant"];

/** A variant's kind and tensors. */
interface Held {
  readonly type: string;
  readonly tensors: readonly NDArray[];
}

function heldBy(array: NDArray): readonly Held[] {
  if (array instanceof TensorVariants) return array.items.map(item => ({ type: tensorType, tensors: [item] }));
  if (array instanceof RaggedArray) return array.items.map(({ splits, values }) => ({ type: raggedType, tensors: [...splits, values] }));
  throw new UnimplementedError(
    "Elements that hold datasets, optionals or lists cannot be saved.\n\nSave the elements of inner datasets: dataset.flatMap(window => window).",
  );
}

const bytesOf = ({ type, tensors }: Held): Uint8Array =>
  written(to => {
    to.field(1, encodeText(type));
    for (const tensor of tensors) {
      const head = { dtype: dtypeEnumName(tensor.dtype), tensorShape: shapeToMessage(new TensorShape(tensor.shape)) };
      to.field(3, messageToBytes("TensorProto", createMessage("TensorProto", { ...head, ...arrayToTypedValues(tensor) })));
    }
  });

/** @throws UnimplementedError for variants that hold neither sparse nor ragged tensors. */
export function componentToBytes(array: NDArray): Uint8Array {
  if (array.dtype !== "variant") return packedTensor(array);
  const to = new WireWriter();
  const pieces = heldBy(array).map(bytesOf);
  for (const { length } of pieces) to.varint(BigInt(length));
  const lengths = to.finish();
  const tensorContent = Uint8Array.from([lengths, ...pieces].flatMap(bytes => [...bytes]));
  const tensorShape = shapeToMessage(new TensorShape(array.shape));
  return messageToBytes("TensorProto", createMessage("TensorProto", { dtype: "DT_VARIANT", tensorShape, tensorContent }));
}

function heldIn(bytes: Uint8Array): Held {
  const reader = new WireReader(bytes, "VariantTensorDataProto");
  let type = "";
  const tensors: NDArray[] = [];
  eachField(reader, number => {
    if (number === 1) type = decodeText(reader.piece());
    else if (number === 3) tensors.push(arrayFromMessage(messageFromBytes("TensorProto", reader.piece())));
    else return false;
    return true;
  });
  return { type, tensors };
}

function variantsIn({ tensorShape, tensorContent }: Message<"TensorProto">): NDArray {
  const shape = shapeFromMessage(tensorShape).asNumbers();
  const reader = new WireReader(tensorContent, "TensorProto");
  const lengths = Array.from({ length: sizeOf(shape) }, () => Number(reader.varint()));
  const held = lengths.map(length => heldIn(reader.part(length, "VariantTensorDataProto").rest()));
  const isAll = (kind: string): boolean => held.every(({ type, tensors }) => type === kind && tensors.length > 0);
  if (isAll(tensorType))
    return new TensorVariants(
      shape,
      held.map(({ tensors }) => tensors[0]),
    );
  if (isAll(raggedType))
    return new RaggedArray(
      shape,
      held.map(({ tensors }): Encoded => ({ splits: tensors.slice(0, -1), values: tensors[tensors.length - 1] })),
    );
  throw new InvalidArgumentError(`Variants of '${held.map(({ type }) => type).join("', '")}' cannot be read here.`);
}

/** The component in the bytes, or undefined for others. @throws InvalidArgumentError for variants of other kinds. */
export function componentFromBytes(bytes: Uint8Array): NDArray | undefined {
  const array = tensorOfBytes(bytes);
  if (array !== undefined) return array;
  let message: Message<"TensorProto">;
  try {
    message = messageFromBytes("TensorProto", bytes);
  } catch {
    return undefined;
  }
  return message.dtype === "DT_VARIANT" ? variantsIn(message) : undefined;
}
