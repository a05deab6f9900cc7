// First and second gradients through If, Case and While nodes of imported graphs, random programs recorded from TensorFlow.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import * as tf from "../../src/index.ts";
import { bytesFromBase64 } from "../../src/formats/message-codec.ts";

interface Case {
  readonly name: string;
  readonly graph: string;
  readonly init: string;
  readonly feeds: readonly Readonly<Record<string, number | readonly number[]>>[];
  readonly gradients: readonly {
    readonly y: string;
    readonly xs: readonly string[];
    readonly order: 1 | 2;
    readonly none: readonly boolean[];
    /** For each run, the elements of each gradient that is there. */
    readonly values: readonly (readonly (readonly number[])[])[];
  }[];
}

const file = new URL("data/functional-gradients.json.gz", import.meta.url);
const cases = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Case[];

test.each(cases)("$name", async ({ graph: encoded, init, feeds, gradients }) => {
  const graph = new tf.Graph();
  using _scope = graph.asDefault();
  tf.importGraphDef(bytesFromBase64(encoded), { name: "" });
  const find = (name: string): tf.Tensor => graph.getTensorByName(name);
  await using session = new tf.Session({ graph });
  await session.run(graph.getOperationByName(init));
  for (const { y, xs, order, none, values } of gradients) {
    let found: (tf.Tensor | tf.IndexedSlices | null)[] = tf.gradients(find(y), xs.map(find));
    const squares = found.filter(d => d !== null).map(d => tf.square(tf.convertToTensor(d)));
    if (order === 2 && squares.length > 0) found = tf.gradients(squares, xs.map(find));
    if (order === 1) expect(found.map(d => d === null)).toEqual(none);
    // A second gradient may be none where TensorFlow's is zeros.
    const pairs = found.filter((_, k) => !none[k]);
    const asked = pairs.flatMap(d => (d === null ? [] : [tf.convertToTensor(d)]));
    for (const [run, fed] of feeds.entries()) {
      const given = Object.entries(fed).map(([name, value]): [tf.Tensor, number | readonly number[]] => [find(name), value]);
      const made = (await session.run(asked, given)).map(value => Array.from({ length: value.size }, (_, i) => Number(value.get(i))));
      for (const [k, wanted] of values[run].entries()) {
        const elements = pairs[k] === null ? wanted.map(() => 0) : (made.shift() as number[]);
        const scale = Math.max(1, ...wanted.map(Math.abs));
        expect(elements.length).toBe(wanted.length);
        expect(Math.max(0, ...wanted.map((number, i) => Math.abs(elements[i] - number) / scale)), `${y} by ${xs}, run ${run}`).toBeLessThan(
          2e-4,
        );
      }
    }
  }
});
