// Messages described by a file, with kinds of fields that TensorFlow's own messages have not; the answers are TensorFlow's.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DType } from "../../base/dtype.ts";
import { NDArray } from "../../base/ndarray.ts";
import { bytesFromBase64 } from "../../formats/message-codec.ts";
import { Graph } from "../../graph/graph.ts";
import { Session } from "../../session/session.ts";
import { decodeProto, encodeProto } from "./protos.ts";

/** A FileDescriptorSet of one message `p.M` with fifteen fields (proto2), and two such messages. */
const set = bytesFromBase64(
  "Cu8BCgdhLnByb3RvEgFwIsUBCgFNEgkKAWkYASABKAUSDAoBZBgCIAEoBToBNxIJCgFyGAMgAygFEg4KAXMYBCABKAk6A2FiYxINCgFmGAUgAygCQgIQARIRCgNzdWIYBiABKAsyBC5wLk0SDwoBZRgHIAEoDjIELnAuRRIJCgF1GAggASgEEgkKAXoYCSADKBESCQoBYhgKIAEoCBIJCgF4GAsgASgHEgoKAmRkGAwgASgBEgoKAmJ5GA0gAygMEgkKAWwYDiADKAMSCgoCdTMYDyABKA0qEQoBRRIFCgFBEAMSBQoBQhABYgZwcm90bzI=",
);
const messages = [
  bytesFromBase64("CAUYARgCGAMiAmhpKggAAMA/AAAgQDICCAk4AUCAgICAgICAgIABSAFIClABXQAAAIBhAAAAAAAABEBqAf9qAHCAgICAgCB4gICAgAg="),
  bytesFromBase64("EAMYBA=="),
];

let folder = "";
const source = (): string => join(folder, "set.pb");
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "protos-"));
  writeFileSync(source(), set);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function decoded(fields: Readonly<Record<string, DType>>, options: object = { descriptorSource: source() }): Promise<unknown[]> {
  const graph = new Graph();
  const session = new Session(null, { graph });
  const { sizes, values } = graph.asDefault(() =>
    decodeProto(new NDArray("string", [2], messages), "p.M", Object.keys(fields), Object.values(fields), options),
  );
  try {
    return ((await session.run([sizes, ...values])) as readonly NDArray[]).map(array => array.toArray());
  } finally {
    await session.close();
  }
}

describe("decodeProto", () => {
  it("gives values, and defaults where there are none", async () => {
    expect(await decoded({ i: "int32", d: "int32", r: "int32", s: "string", e: "int32" })).toEqual([
      [
        [1, 0, 3, 1, 1],
        [0, 1, 1, 0, 0],
      ],
      [[5], [0]],
      [[7], [3]],
      [
        [1, 2, 3],
        [4, 0, 0],
      ],
      [["hi"], ["abc"]],
      [[1], [3]],
    ]);
  });

  it("reads every kind of number", async () => {
    expect(await decoded({ z: "int32", b: "bool", x: "uint32", dd: "float64", l: "int64", u: "uint64", f: "float64" })).toEqual([
      [
        [2, 1, 1, 1, 1, 1, 2],
        [0, 0, 0, 0, 0, 0, 0],
      ],
      [
        [-1, 5],
        [0, 0],
      ],
      [[true], [false]],
      [[2 ** 31], [0]],
      [[2.5], [0]],
      [[2n ** 40n], [0n]],
      [[2n ** 63n], [0n]],
      [
        [1.5, 2.5],
        [0, 0],
      ],
    ]);
  });

  it("says what is not there", async () => {
    await expect(decoded({ nope: "int32" })).rejects.toThrow("Unknown field: nope in message type p.M");
    await expect(decoded({ i: "int32" }, { descriptorSource: join(folder, "none") })).rejects.toThrow(
      "Source does not represent serialized file descriptor set proto.",
    );
    await expect(decoded({ i: "int32" }, { descriptorSource: "bytes://\ufffd" })).rejects.toThrow("holds bytes that are no text");
    await expect(decoded({ sub: "string" }, { descriptorSource: source(), sanitize: true })).rejects.toThrow("decode without sanitize");
  });
});

describe("encodeProto", () => {
  it("writes fields in the order of their numbers", async () => {
    const graph = new Graph();
    const session = new Session(null, { graph });
    const bytes = graph.asDefault(() =>
      encodeProto(
        [[1, 1, 2, 2]],
        [[["x"]], [[true]], NDArray.from([1, 2], "float32", [1, 2]), NDArray.from([-1, 5], "int32", [1, 2])],
        ["s", "b", "f", "z"],
        "p.M",
        { descriptorSource: source() },
      ),
    );
    const [found] = ((await session.run(bytes)) as NDArray).data as Uint8Array[];
    await session.close();
    expect(Buffer.from(found).toString("latin1")).toBe('"\x01x*\x08\0\0\x80?\0\0\0@H\x01H\nP\x01');
  });
});
