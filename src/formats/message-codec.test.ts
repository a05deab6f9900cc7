// The codec over the real table: round trips, proto3's rules of defaults and packing, and what damaged bytes get told.
import { describe, expect, it } from "vitest";
import { createMessage, messageFromBytes, messageFromJson, messageToBytes, messageToJson } from "./message-codec.ts";

const json = {
  node: [
    {
      name: "x",
      op: "Const",
      attr: {
        dtype: { type: "DT_FLOAT" },
        value: {
          tensor: {
            dtype: "DT_FLOAT",
            tensor_shape: { dim: [{ size: "2" }, { size: "-1" }] },
            float_val: [1, "NaN", "-Infinity"],
            tensor_content: "AAECAw==",
          },
        },
        _class: { list: { s: ["bG9jOkB5"] } },
        flag: { b: false },
        big: { i: "-9223372036854775808" },
        shapes: { list: { shape: [{ unknown_rank: true }, {}] } },
        f: { func: { name: "g", attr: { T: { type: "DT_INT32" } } } },
      },
    },
    { name: "y", op: "Identity", input: ["x", "^x"], device: "/device:CPU:0" },
  ],
  versions: { producer: 2474, bad_consumers: [1, -2] },
  library: { function: [{ signature: { name: "g" }, ret: { o: "a:b:0" }, arg_attr: { 3: { attr: { k: { b: true } } } } }] },
};

describe("message codec", () => {
  it("reads and writes JSON as it was, oneofs at their default included", () => {
    expect(messageToJson("GraphDef", messageFromJson("GraphDef", json))).toEqual(json);
  });

  it("gives the same message through bytes, and the same bytes every time", () => {
    const message = messageFromJson("GraphDef", json);
    const bytes = messageToBytes("GraphDef", message);
    expect(messageFromBytes("GraphDef", bytes)).toEqual(message);
    expect(messageToBytes("GraphDef", messageFromBytes("GraphDef", bytes))).toEqual(bytes);
  });

  it("writes messages of any size, the buffer growing at every byte", () => {
    for (const count of [100, 254, 255, 256, 257, 300, 1000, 5000]) {
      const versions = { producer: count, badConsumers: Array.from({ length: count }, (_, i) => i * i) };
      expect(messageFromBytes("VersionDef", messageToBytes("VersionDef", versions))).toEqual({ ...versions, minConsumer: 0 });
      const node = { input: Array.from({ length: count }, (_, i) => "x".repeat(i % 7)) };
      expect(messageFromBytes("NodeDef", messageToBytes("NodeDef", node)).input).toEqual(node.input);
    }
  });

  it("fills proto3's defaults", () => {
    const node = messageFromBytes("NodeDef", new Uint8Array(0));
    expect([node.name, node.input, node.attr.size, node.experimentalType]).toEqual(["", [], 0, undefined]);
    expect(createMessage("AttrValue").b).toBeUndefined();
    expect(createMessage("GraphDef", { versions: { producer: 3 } }).versions?.badConsumers).toEqual([]);
  });

  it("reads repeated numbers packed and one by one, and skips unknown fields", () => {
    const packed = [0x1a, 2, 5, 6];
    const single = [0x18, 7];
    const unknown = [0xf8, 0x07, 1];
    expect(messageFromBytes("VersionDef", Uint8Array.from([...packed, ...unknown, ...single])).badConsumers).toEqual([5, 6, 7]);
  });

  it("keeps enumerators it does not know as numbers", () => {
    const bytes = messageToBytes("AttrValue", { type: 4711 });
    expect(messageFromBytes("AttrValue", bytes).type).toBe(4711);
  });

  it.each([
    ["a length beyond the end", [0x0a, 0x7f, 1]],
    ["a varint without end", [0x18, ...Array(11).fill(0xff)]],
    ["a wire type proto3 lacks", [0x0b]],
    ["field number 0", [0x00, 0x00]],
    ["a cut double", [0x2a, 3, 0x0a, 1]],
    ["a message where a number belongs", [0x1a, 0]],
  ])("refuses %s, naming the offset", (_, bytes) => {
    expect(() => messageFromBytes("GraphDef", Uint8Array.from(bytes))).toThrow(/Wire format was corrupt\n\nAt byte \d+: /);
  });

  it("refuses nesting that has no end", () => {
    let bytes: Uint8Array = new Uint8Array(0);
    for (let i = 0; i < 300; i++) bytes = Uint8Array.from([0x12, ...lengthOf(bytes.length + 0), ...bytes]);
    expect(() => messageFromBytes("FullTypeDef", bytes)).toThrow(/nested deeper/);
  });

  it("names the path of JSON that does not fit", () => {
    expect(() => messageFromJson("GraphDef", { node: [{ name: 3 }] })).toThrow("GraphDef.node[0].name should be text, but is 3");
    expect(() => messageFromJson("GraphDef", { node: {} })).toThrow("GraphDef.node should be a list");
    expect(() => messageFromJson("Dim", { size: 1.5 })).toThrow("Dim.size should be a whole number");
  });
});

const lengthOf = (length: number): number[] => (length < 128 ? [length] : [(length & 127) | 128, length >> 7]);
