// What the recorded cases lack: TensorFlow itself cannot run XlaIf on the CPU, and computes functions of any ops.
import { expect, it } from "vitest";
import * as tf from "../../index.ts";

type Nodes = readonly object[];
const type = (name: string) => ({ type: name });

/** A graph that calls functions of `nodes`, whose result is `r`. */
async function imported(
  node: object,
  functions: Readonly<Record<string, { inputs: readonly string[]; nodes: Nodes }>>,
  result = "y:y:0",
): Promise<tf.Graph> {
  const graph = new tf.Graph();
  const library = {
    function: Object.entries(functions).map(([name, { inputs, nodes }]) => ({
      signature: {
        name,
        input_arg: inputs.map(input => ({ name: input, type: "DT_FLOAT" })),
        output_arg: [{ name: "r", type: "DT_FLOAT" }],
      },
      node_def: nodes,
      ret: { r: result },
    })),
  };
  const placeholder = (name: string, dtype: string) => ({ name, op: "Placeholder", attr: { dtype: type(dtype) } });
  const nodes = [placeholder("c", "DT_BOOL"), placeholder("x", "DT_FLOAT"), node];
  graph.asDefault(() => tf.importGraphDef({ node: nodes, library, versions: { producer: 1882 } } as object, { name: "" }));
  return graph;
}

const T = { T: type("DT_FLOAT") };

it("runs one of two functions", async () => {
  const square = { name: "y", op: "Square", input: ["a"], attr: T };
  const graph = await imported(
    {
      name: "if",
      op: "XlaIf",
      input: ["c", "x"],
      attr: {
        Tcond: type("DT_BOOL"),
        Tin: { list: { type: ["DT_FLOAT"] } },
        Tout: { list: { type: ["DT_FLOAT"] } },
        then_branch: { func: { name: "square" } },
        else_branch: { func: { name: "negate" } },
      },
    },
    { square: { inputs: ["a"], nodes: [square] }, negate: { inputs: ["a"], nodes: [{ ...square, op: "Neg" }] } },
  );
  await using session = new tf.Session({ graph });
  expect((await session.run("if:0", { "c:0": true, "x:0": [3] })).toArray()).toEqual([9]);
  expect((await session.run("if:0", { "c:0": false, "x:0": [3] })).toArray()).toEqual([-3]);
});

it("names what a function of scalars may not hold", async () => {
  const inner = { name: "y", op: "MatMul", input: ["a", "b"], attr: T };
  const graph = await imported(
    {
      name: "reduce",
      op: "XlaReduce",
      input: ["x", "x"],
      attr: { ...T, dimensions_to_reduce: { list: { i: ["0"] } }, reducer: { func: { name: "odd" } } },
    },
    { odd: { inputs: ["a", "b"], nodes: [inner] } },
    "y:product:0",
  );
  await using session = new tf.Session({ graph });
  await expect(session.run("reduce:0", { "x:0": [[1]] })).rejects.toThrow("XlaReduce node 'reduce' calls 'odd', which holds MatMul ('y')");
});
