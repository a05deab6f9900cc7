// Fingerprints of rows of any tensor: the hash of their bytes.

import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { decodeText, NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { named, type NameOption } from "../named.ts";
import { bytesAt } from "./string.ts";
import { fingerprint64 } from "./hash.ts";
import { refuseOthers } from "../arguments.ts";

const width = 8;
const method = "farmhash64";

const littleEndian = (hash: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(hash).buffer);

/** The bytes of each row; of several strings those of their own fingerprints. */
function rowsOf(data: NDArray): Uint8Array[] {
  const rows = data.shape[0];
  const each = rows === 0 ? 0 : data.size / rows;
  if (data.dtype === "string") {
    return Array.from({ length: rows }, (_, row) => {
      if (each === 1) return bytesAt(data, row);
      const bytes = new Uint8Array(each * width);
      for (let k = 0; k < each; k++) bytes.set(littleEndian(fingerprint64(bytesAt(data, row * each + k))), k * width);
      return bytes;
    });
  }
  const { buffer, byteOffset, byteLength } = data.data as Uint8Array;
  const step = rows === 0 ? 0 : byteLength / rows;
  return Array.from({ length: rows }, (_, row) => new Uint8Array(buffer, byteOffset + row * step, step));
}

export const Fingerprint = defineOp("Fingerprint", {
  inputs: { data: "T", method: "string" },
  outputs: { fingerprint: "uint8" },
  attrs: { T: attr.type() },
  shape: (record, context) => {
    const data = record.data.withRankAtLeast(1);
    record.method.withRank(0);
    const wanted = context.constant("method");
    if (wanted && decodeText(bytesAt(wanted, 0)) !== method) throw new ValueError(`Unsupported method: ${decodeText(bytesAt(wanted, 0))}`);
    return new TensorShape([data.dim(0), wanted ? width : null]);
  },
  host: ({ data, method: wanted }) => {
    if (wanted.rank !== 0) throw new InvalidArgumentError(`\`method\` should be a scalar string: [${wanted.shape}]`);
    if (decodeText(bytesAt(wanted, 0)) !== method)
      throw new InvalidArgumentError(`Unsupported fingerprint method: ${decodeText(bytesAt(wanted, 0))}`);
    if (data.rank === 0) throw new InvalidArgumentError("`data` should have at least one dimension: []");
    const rows = rowsOf(data);
    const out = NDArray.zeros("uint8", [rows.length, width]);
    rows.forEach((bytes, row) => void (out.data as Uint8Array).set(littleEndian(fingerprint64(bytes)), row * width));
    return out;
  },
});

interface FingerprintOptions {
  readonly method?: TensorLike;
  readonly name?: NameOption;
}

/** 64-bit fingerprints of the rows of `data` `[n, ...]` as bytes: uint8 `[n, 8]`. TF: tf.fingerprint. */
export const fingerprint = (data: TensorLike, { method: by = method, name, ...others }: FingerprintOptions = {}): Tensor => {
  refuseOthers(others);
  return Fingerprint({ data, method: by }, named(name));
};
