// tf.pyFunc: tokens, results, and what TensorFlow 2.21 says where a function errs.
import { expect, test } from "vitest";
import * as tf from "../../index.ts";

/** The outcome of one run of a function of [1, 2]. */
async function called(func: (...inputs: tf.NDArray[]) => unknown, types: tf.DType | readonly tf.DType[]): Promise<unknown> {
  using _ = new tf.Graph().asDefault();
  await using session = new tf.Session();
  const result = tf.pyFunc(func as () => number, [[1, 2]], types as tf.DType);
  const value = await session.run(result as tf.Tensor);
  return value instanceof tf.NDArray ? value.toArray() : value;
}

test("results by type and number", async () => {
  expect(await called(x => tf.NDArray.from([Number(x.get(0)) + 1, 7]), "float32")).toEqual([2, 7]);
  expect(await called(async () => 3, "int64")).toBe(3n);
  expect(await called(() => "abc", "string")).toBe("abc");
  expect(await called(() => null, [])).toBeNull();
  const wrong: readonly (readonly [() => unknown, readonly tf.DType[], RegExp])[] = [
    [() => tf.NDArray.from(3, "int32"), ["float32"], /^0-th value returned by pyfunc_\d+ is int32, but expects float\n/],
    [() => new Float64Array(1), ["float32"], /^0-th value returned by pyfunc_\d+ is double, but expects float\n/],
    [() => [1], ["float32", "float32"], /^pyfunc_\d+ returns 1 values, but expects to see 2 values\.\n/],
    [() => null, ["float32"], /^pyfunc_\d+ returns 0 values, but expects to see 1 values\.\n/],
    [() => 3, [], /^pyfunc_\d+ returns 1 values, but expects to see 0 values\.\n/],
  ];
  for (const [func, types, text] of wrong) await expect(called(func, types)).rejects.toThrow(text);
});

test("errors of the function", async () => {
  const failed = (error: unknown) =>
    called(() => {
      throw error;
    }, "float32").catch((reason: Error) => [reason.name, reason.message.split("\n")[0]]);
  expect(await failed(new Error("boom"))).toEqual(["UnknownError", "Error: boom"]);
  expect(await failed(new TypeError("boom"))).toEqual(["InvalidArgumentError", "TypeError: boom"]);
  expect(await failed(new tf.errors.UnimplementedError("boom"))).toEqual(["UnimplementedError", "UnimplementedError: boom"]);
  expect(await failed(new tf.errors.AbortedError("boom"))).toEqual(["UnknownError", "AbortedError: boom"]);
});

test("tokens are the program's: a graph read back finds its functions, another's does not", async () => {
  const graph = new tf.Graph();
  const result = graph.asDefault(() => tf.pyFunc(() => 5, [], "float32", { stateful: false, name: "five" }));
  expect([result.op.type, result.op.attrs.token]).toEqual(["PyFuncStateless", expect.stringMatching(/^pyfunc_\d+$/)]);
  expect(
    tf.gradients(
      graph.asDefault(() => tf.pyFunc(x => x, [result], "float32")),
      [result],
    ),
  ).toEqual([null]);
  const again = new tf.Graph();
  const [five] = again.asDefault(() => tf.importGraphDef(graph.asGraphDef(), { returnElements: ["five:0"] })) as [tf.Tensor];
  await using session = new tf.Session({ graph: again });
  expect((await session.run(five)).item()).toBe(5);
  const strange = again.asDefault(() => tf.rawOps.PyFunc({ input: [1], token: "nope", Tin: ["float32"], Tout: ["float32"] }));
  await expect(session.run(strange[0])).rejects.toThrow(/^ValueError: Could not find callback with key=nope in the registry\.\n/);
});
