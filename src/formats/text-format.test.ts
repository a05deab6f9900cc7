// What Python's google.protobuf.text_format prints and refuses, recorded from protobuf 7.36.
import { describe, expect, it } from "vitest";
import { encodeText } from "../base/ndarray.ts";
import { messageToBytes } from "./message-codec.ts";
import type { MessageInit, MessageName } from "./messages.ts";
import { messageFromText, messageToText } from "./text-format.ts";

const lines = (...text: string[]): string => `${text.join("\n")}\n`;

describe("messageToText", () => {
  it.each<[string, MessageName, MessageInit<MessageName>, string]>([
    [
      "floats in their shortest form",
      "ListValue",
      { f: [1, 0.1, 1e-7, 1e20, 1e16, 123456789, Infinity, -Infinity, NaN, -0, 3.4028235e38, 0.30000001192092896].map(Math.fround) },
      lines(..."1.0 0.1 1e-07 1e+20 1e+16 123456790.0 inf -inf nan -0.0 3.4028235e+38 0.3".split(" ").map(value => `f: ${value}`)),
    ],
    [
      "doubles with all their digits, fields by number",
      "TensorProto",
      { doubleVal: [0.1, 1e22, 1e15, 1e17, 1.2345678901234568e17, 5e-324], tensorShape: {} },
      lines(
        "tensor_shape {",
        "}",
        ..."0.1 1e+22 1000000000000000.0 1e+17 1.2345678901234568e+17 5e-324".split(" ").map(value => `double_val: ${value}`),
      ),
    ],
    [
      "bytes as C escapes",
      "AttrValue",
      { s: new Uint8Array([97, 34, 98, 39, 92, 10, 13, 9, 0, 1, 255, 0xc3, 0xa9, 63, 127]) },
      lines(String.raw`s: "a\"b\'\\\n\r\t\000\001\377\303\251?\177"`),
    ],
    [
      "maps by key, defaults in them left out, numbers that no enumerator has",
      "NameAttrList",
      {
        name: "fé",
        attr: new Map([
          ["b", { i: 1n }],
          ["a", { list: { type: ["DT_FLOAT", 999] } }],
          ["", { placeholder: "p" }],
        ]),
      },
      lines(
        'name: "fé"',
        "attr {",
        "  value {",
        '    placeholder: "p"',
        "  }",
        "}",
        "attr {",
        '  key: "a"',
        "  value {",
        "    list {",
        "      type: DT_FLOAT",
        "      type: 999",
        "    }",
        "  }",
        "}",
        "attr {",
        '  key: "b"',
        "  value {",
        "    i: 1",
        "  }",
        "}",
      ),
    ],
    [
      "an Any of a known type unpacked, of another as bytes",
      "AnyList",
      {
        value: [
          { typeUrl: "type.googleapis.com/tensorflow.AssetFileDef", value: messageToBytes("AssetFileDef", { filename: "v.txt" }) },
          { typeUrl: "unknown/y", value: encodeText("abc") },
        ],
      },
      lines(
        "value {",
        "  [type.googleapis.com/tensorflow.AssetFileDef] {",
        '    filename: "v.txt"',
        "  }",
        "}",
        "value {",
        '  type_url: "unknown/y"',
        '  value: "abc"',
        "}",
      ),
    ],
  ])("prints %s, and reads it back", (_, name, message, text) => {
    expect(messageToText(name, message)).toBe(text);
    expect(messageToText(name, messageFromText(name, text) as MessageInit<MessageName>)).toBe(text);
  });
});

describe("messageFromText", () => {
  it("takes every spelling", () => {
    const text = String.raw`# a graph
      node <name: 'x'>; node: [{name: 'y' op: "a" 'b'}, {}]
      node { attr { key: 'k', value { s: '\x41\101\u00e9\U0001F600' } } attr: { key: "f" value { f: -Inf } } }
      versions: { producer: 0x10, min_consumer: 010 bad_consumers: [1, -2] }`;
    expect(messageToText("GraphDef", messageFromText("GraphDef", text)).replace(/\s+/g, " ")).toBe(
      String.raw`node { name: "x" } node { name: "y" op: "ab" } node { } node { attr { key: "f" value { f: -inf } } attr { key: "k" value { s: "AA\303\251\360\237\230\200" } } } versions { producer: 16 min_consumer: 8 bad_consumers: 1 bad_consumers: -2 } `,
    );
  });

  it.each([
    ["foo: 1", '1:1 : Message type "tensorflow.GraphDef" has no field named "foo".'],
    ["node { name: 3 }", "1:14 : 'node { name: 3 }': Expected string but found: '3'"],
    ['node { name: "a"', '1:8 : Expected "}".'],
    ['node { name: "a" } }', `1:20 : 'node { name: "a" } }': Expected identifier or number, got }.`],
    ["node {\n op: 'a'\n op: 'b' }", '3:2 : Message type "tensorflow.NodeDef" should not have multiple "op" fields.'],
    ["versions { producer: 99999999999 }", "Value out of range: 99999999999"],
    ["versions { producer: 1.5 }", "Couldn't parse integer: 1.5"],
    ["node { attr { key: 'a' value { f: abc } } }", "Couldn't parse float: abc"],
    ["node { attr { key: 'a' value { type: NOPE } } }", 'Enum type "tensorflow.DataType" has no value named NOPE.'],
    ["node { attr { key: 'a' value { b: maybe } } }", 'Expected "true" or "false".'],
    ["node { attr { key: 'a' value { b: t f: 1 } } }", 'Field "f" is specified along with field "b", another member of a oneof'],
    ['node { name: "a\n" }', `String missing ending quote: '"a'`],
    [`node { attr { value { ${"list { func { attr { value { ".repeat(40)}`, "Message too deep. Max recursion depth is 100"],
  ])("refuses %j", (text, message) => {
    expect(() => messageFromText("GraphDef", text)).toThrow(message);
  });
});
