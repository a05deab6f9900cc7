// The generator's published vectors (Random123, kat_vectors), and counters of 128 bits.

import { expect, test } from "vitest";
import { NDArray } from "../../base/ndarray.ts";
import { PhiloxStream } from "./philox.ts";

const stream = (seed: bigint, seed2: bigint, used: bigint): PhiloxStream =>
  new PhiloxStream(new NDArray("int64", [3], BigInt64Array.of(seed, seed2, used)));
const block = (from: PhiloxStream): number[] => Array.from({ length: 4 }, () => from.word());

test.for([
  [0n, 0n, 0n, [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
  [-1n, -1n, -1n, [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
  [0x299f31d0a4093822n, 0x0370734413198a2en, 0x85a308d3243f6a88n, [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]],
] as const)("words of key %s, counter %s %s", ([seed, seed2, used, words]) => expect(block(stream(seed, seed2, used))).toEqual(words));

test.for([0xffffffffn, 0xffffffffffffffffn])("a block after block %s", used => {
  const [begun, skipped, next] = [
    stream(7n, 5n, used),
    stream(7n, 5n, used - 3n),
    stream(7n, used > 2n ** 63n ? 6n : 5n, BigInt.asUintN(64, used + 1n)),
  ];
  block(begun);
  skipped.skipTo(4);
  const expected = block(next);
  expect([block(begun), block(skipped)]).toEqual([expected, expected]);
});
