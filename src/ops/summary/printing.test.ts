// tf.print: what TensorFlow 2.21 writes, stream by stream.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import * as tf from "../../index.ts";

afterEach(() => vi.restoreAllMocks());

/** What a run of the printing operation that `make` builds writes to both outputs. */
async function printed(make: () => tf.Operation): Promise<{ stdout: string; stderr: string }> {
  const written = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    vi.spyOn(process[stream], "write").mockImplementation(text => {
      written[stream] += String(text);
      return true;
    });
  const graph = new tf.Graph();
  const op = graph.asDefault(make);
  const session = new tf.Session({ graph });
  await session.run(graph.asDefault(() => tf.globalVariablesInitializer()));
  await session.run(op).finally(() => vi.restoreAllMocks());
  await session.close();
  return written;
}

const c = tf.constant;
const seven = (): tf.Tensor => c([1, 2, 3, 4, 5, 6, 7]);
const rows = (count: number): string => Array.from({ length: count }, (_, i) => (i === 0 ? "[" : " ") + i).join(",\n");

describe("tf.print", () => {
  test.each<readonly [string, () => readonly unknown[], string]>([
    ["a vector", () => [seven()], "[1 2 3 ... 5 6 7]\n"],
    ["two at each end", () => [seven(), { summarize: 2 }], "[1 2 ... 6 7]\n"],
    ["all", () => [seven(), { summarize: -1 }], "[1 2 3 4 5 6 7]\n"],
    ["none", () => [seven(), { summarize: 0 }], "[ ...]\n"],
    ["a text before", () => ["x:", c(1)], "x: 1\n"],
    ["a string", () => [c("hi")], "hi\n"],
    ["strings", () => [c(["hi", "a"])], '["hi" "a"]\n'],
    ["nested", () => ["a", { b: c(1), a: [c(2.5), "z"] }, [1, null, true, 2.5]], "a {'a': [2.5, 'z'], 'b': 1} [1, None, True, 2.5]\n"],
    ["braces", () => ["a {} b", c(1)], "a {} b 1\n"],
    ["braces and the first digit", () => ["a {}9 b", c(1), "{}"], "a {}9 b 1 {}\n"],
    [
      "separator and end",
      () => [
        c([
          [1, 2],
          [3, 4],
        ]),
        "|",
        c(3.25),
        { sep: ";", end: "END\n" },
      ],
      "[[1 2]\n [3 4]];|;3.25END\n",
    ],
    ["sparse", () => [new tf.SparseTensor([[0, 1]], [1], [2, 2])], "'SparseTensor(indices=[[0 1]], values=[1], shape=[2 2])'\n"],
    ["nothing", () => [], "\n"],
    ["bool", () => [c(true), c([true, false])], "1 [1 0]\n"],
    ["line feeds", () => ["a\nb", ["a\nb'q"]], 'a\nb ["a\\nb\'q"]\n'],
    ["no number", () => [c(1e-7), c(Number.NaN), c(Infinity), c({ re: 1, im: 2 }), c(1e10)], "1e-07 nan inf ? 1e+10\n"],
    [
      "digits",
      () => [c([0.1, 3.14159274, 123456789, 1 / 3]), c([0.1, 1 / 3], "float64")],
      "[0.1 3.14159274 123456792 0.333333343] [0.1 0.33333333333333331]\n",
    ],
    ["blocks", () => [tf.zeros([2, 2, 1, 2])], "[[[[0 0]]\n\n  [[0 0]]]\n\n\n [[[0 0]]\n\n  [[0 0]]]]\n"],
    ["empty", () => [tf.zeros([0])], "[]\n"],
    ["empty rows", () => [tf.zeros([2, 0])], "[\n ...]\n"],
    ["no rows", () => [tf.zeros([0, 3]), { summarize: -1 }], "[]\n"],
    ["wider than a line", () => [Array.from({ length: 40 }, (_, i) => i)], `${rows(40)}]\n`],
    [
      "a wide object",
      () => [{ aaaaaaaaaaaaaaaaaaaaaaaaaaaaa: c(1), bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb: ["x".repeat(30), ["y".repeat(30), 3, [1]]] }],
      `{'aaaaaaaaaaaaaaaaaaaaaaaaaaaaa': 1,\n 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb': ['xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',\n${" ".repeat(44)}['yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy',\n${" ".repeat(45)}3,\n${" ".repeat(45)}[1]]]}\n`,
    ],
    [
      "a long string",
      () => [["hello world ".repeat(10), 1]],
      "['hello world hello world hello world hello world hello world hello world '\n 'hello world hello world hello world hello world ',\n 1]\n",
    ],
    ["a variable", () => [new tf.Variable(1.5)], "1.5\n"],
  ])("%s", async (_, inputs, text) => {
    expect(await printed(() => tf.print(...inputs()))).toEqual({ stdout: "", stderr: text });
  });

  test("its streams", async () => {
    const to = (outputStream: unknown) => printed(() => tf.print("x", { outputStream }));
    expect(await to(process.stdout)).toEqual({ stdout: "x\n", stderr: "" });
    expect(await to("stdout")).toEqual({ stdout: "x\n", stderr: "" });
    expect(await to(process.stderr)).toEqual({ stdout: "", stderr: "x\n" });
    expect(await to(tf.logging.info)).toEqual({ stdout: "", stderr: "I x\n" });
    expect(await to(tf.logging.WARN)).toEqual({ stdout: "", stderr: "W x\n" });
    expect(() => tf.print(1, { outputStream: "foo" })).toThrow(
      /^Unsupported output stream, logging level, or file\.foo\. Supported streams are sys\.stdout, sys\.stderr, tf\.logging\.info, tf\.logging\.warning, tf\.logging\.error\. File needs to be in the form of 'file:\/\/<filepath>'\.\n/,
    );
    await expect(printed(() => tf.rawOps.PrintV2({ input: "x", outputStream: "foo" }))).rejects.toThrow(
      /^Unknown output stream: foo, Valid streams are: stdout stderr log\(info\) log\(warning\) log\(error\)\n/,
    );
  });

  test("files", async () => {
    const folder = mkdtempSync(join(tmpdir(), "print-"));
    const path = join(folder, "out.txt");
    const toFile = (text: string, file = path) => printed(() => tf.print(text, { outputStream: `file://${file}` }));
    await toFile("one");
    expect(await toFile("two")).toEqual({ stdout: "", stderr: "" });
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
    await expect(toFile("x", join(folder, "none", "out.txt"))).rejects.toThrow(/^\S+out\.txt; No such file or directory/);
    rmSync(folder, { recursive: true });
  });

  test("its nodes", () => {
    const graph = new tf.Graph();
    graph.asDefault(() => {
      tf.print("a", c(1), { name: "nm" });
      tf.print("x");
      tf.print(c("x"));
    });
    expect(graph.getOperations().map(({ name, type }) => `${name}: ${type}`)).toEqual([
      "Const: Const",
      "nm_format: StringFormat",
      "nm: PrintV2",
      "StringFormat: StringFormat",
      "PrintV2: PrintV2",
      "Const_1: Const",
      "PrintV2_1: PrintV2",
    ]);
    expect(() => tf.rawOps.PrintV2({ input: ["a", "b"] })).toThrow(/^input must be a scalar, but has rank: 1 for /);
  });

  test("in a loop, and as a dependency", async () => {
    const { stderr } = await printed(() => {
      const end = tf.whileLoop(
        (i: tf.Tensor) => tf.less(i, 3),
        (i: tf.Tensor) => tf.controlDependencies([tf.print("i", i)], () => tf.add(i, 1)),
        [c(0, "int32")],
      ) as tf.Tensor;
      return tf.print("end", end);
    });
    expect(stderr).toBe("i 0\ni 1\ni 2\nend 3\n");
  });
});
