// Losses, metrics and layers against TensorFlow 2.21 (legacy Keras for tf.layers). Node names: the golden programs of test/parity.

import { describe, expect, test } from "vitest";
import { Graph } from "../graph/graph.ts";
import type { Tensor } from "../graph/operation.ts";
import { constant } from "../ops/array/array.ts";
import { clipByValue } from "../ops/math/math.ts";
import { relu } from "../ops/nn/nn.ts";
import { Session } from "../session/session.ts";
import { conv2d, conv2dTranspose } from "./layers/convolution.ts";
import { averagePooling2d, maxPooling2d } from "./layers/pooling.ts";
import { batchNormalization } from "./layers/normalization.ts";
import { Dense, dense, dropout, flatten } from "./layers/layers.ts";
import * as losses from "./losses.ts";
import * as metrics from "./metrics/metrics.ts";
import { getCollection } from "./variables/scopes.ts";
import { globalVariablesInitializer, localVariablesInitializer, trainableVariables } from "./variables/variable-lists.ts";
import { AUTO_REUSE, variableScope } from "./variables/variable-scope.ts";
import { onesInitializer } from "./variables/initializers.ts";

/** Runs what `build` returns, after initializing; further calls run it again. */
async function running<F>(build: () => F, body: (run: (fetch: unknown) => Promise<unknown>, fetches: F) => Promise<void>): Promise<void> {
  const graph = new Graph();
  const fetches = graph.asDefault(build);
  const session = new Session({ graph });
  await session.run(graph.asDefault(() => [globalVariablesInitializer(), localVariablesInitializer()]));
  await body(fetch => session.run(fetch as Tensor), fetches);
  await session.close();
}

const numbers = (value: unknown): number[] => [(value as { toArray(): unknown }).toArray()].flat(9) as number[];
function expectClose(value: unknown, expected: readonly number[]): void {
  const got = numbers(value);
  expect(got.length).toBe(expected.length);
  for (const [i, x] of got.entries()) expect(x).toBeCloseTo(expected[i], 5);
}

const labels = () =>
  constant([
    [1, 0],
    [0, 1],
    [1, 1],
  ]);
const predictions = () =>
  constant([
    [0.8, 0.3],
    [0.4, 0.9],
    [0.1, 2.5],
  ]);
const weights = () => constant([[1], [0], [2]]);

describe("losses", () => {
  const cases: [name: string, build: () => Tensor, expected: number[]][] = [
    ["absoluteDifference", () => losses.absoluteDifference(labels(), predictions()), [0.5666667]],
    ["meanSquaredError", () => losses.meanSquaredError(labels(), predictions(), { weights: weights() }), [1.5625]],
    ["huberLoss", () => losses.huberLoss(labels(), predictions()), [0.2591667]],
    ["hingeLoss", () => losses.hingeLoss(labels(), predictions()), [0.65]],
    ["logLoss", () => losses.logLoss(labels(), clipByValue(predictions(), 0, 0.95)), [0.5916469]],
    ["cosineDistance", () => losses.cosineDistance(labels(), predictions(), { axis: 1 }), [-0.4333333]],
    ["sigmoidCrossEntropy", () => losses.sigmoidCrossEntropy(labels(), predictions(), { labelSmoothing: 0.1 }), [0.5638186]],
    ["softmaxCrossEntropy", () => losses.softmaxCrossEntropy(labels(), predictions(), { labelSmoothing: 0.2 }), [1.1214863]],
    [
      "sparseSoftmaxCrossEntropy",
      () => losses.sparseSoftmaxCrossEntropy(constant([0, 1, 1], "int32"), predictions(), { weights: constant([1, 2, 0]) }),
      [0.7111155],
    ],
    ["meanPairwiseSquaredError", () => losses.meanPairwiseSquaredError(labels(), predictions()), [6.26]],
    [
      "no reduction",
      () => losses.meanSquaredError(labels(), predictions(), { weights: weights(), reduction: losses.Reduction.NONE }),
      [0.04, 0.09, 0, 0, 1.62, 4.5],
    ],
    ["sum", () => losses.meanSquaredError(labels(), predictions(), { weights: weights(), reduction: losses.Reduction.SUM }), [6.25]],
    ["mean", () => losses.meanSquaredError(labels(), predictions(), { weights: weights(), reduction: losses.Reduction.MEAN }), [1.0416667]],
    [
      "sum over batch size",
      () => losses.meanSquaredError(labels(), predictions(), { weights: weights(), reduction: losses.Reduction.SUM_OVER_BATCH_SIZE }),
      [1.0416667],
    ],
  ];
  test.each(cases)("%s", (_, build, expected) => running(build, async (run, loss) => expectClose(await run(loss), expected)));

  test("are collected and added up", () =>
    running(
      () => {
        losses.absoluteDifference(labels(), predictions());
        losses.hingeLoss(labels(), predictions());
        losses.meanSquaredError(labels(), predictions(), { lossCollection: null });
        expect(losses.getLosses().length).toBe(2);
        return losses.getTotalLoss();
      },
      async (run, total) => expectClose(await run(total), [1.2166667]),
    ));

  test("refuse what does not fit", () => {
    new Graph().asDefault(() => {
      expect(() => losses.meanSquaredError(null as never, labels())).toThrow("Argument `labels` must not be None.");
      expect(() => losses.meanSquaredError(labels(), constant([1, 2]))).toThrow("Shapes (2,) and (3, 2) are incompatible");
      expect(() => losses.meanSquaredError(labels(), predictions(), { weights: constant([1, 2]) })).toThrow(
        "weights can not be broadcast to values. values.rank=2. weights.rank=1.",
      );
      expect(() => losses.computeWeightedLoss(labels(), { reduction: "max" as never })).toThrow("Invalid Reduction Key max.");
    });
  });
});

describe("metrics", () => {
  const truth = () => constant([1, 0, 1, 1], "int32");
  const guess = () => constant([1, 1, 1, 0], "int32");
  const cases: [name: string, build: () => metrics.Metric, once: number][] = [
    ["accuracy", () => metrics.accuracy(truth(), guess()), 0.5],
    ["precision", () => metrics.precision(truth(), guess()), 2 / 3],
    ["recall", () => metrics.recall(truth(), guess()), 2 / 3],
    ["mean", () => metrics.mean(constant([1, 2, 3]), { weights: constant([1, 0, 2]) }), 7 / 3],
    ["meanSquaredError", () => metrics.meanSquaredError(constant([1, 2]), constant([1, 4])), 2],
    ["rootMeanSquaredError", () => metrics.rootMeanSquaredError(constant([1, 2]), constant([1, 4])), Math.SQRT2],
  ];
  test.each(cases)("%s is 0 before the first batch, then over all batches", (_, build, once) =>
    running(build, async (run, [value, update]) => {
      expectClose(await run(value), [0]);
      expectClose(await run(update), [once]);
      expectClose(await run(update), [once]);
      expectClose(await run(value), [once]);
    }),
  );
});

describe("layers", () => {
  test("dense connects the last dimension", () =>
    running(
      () => [
        dense(constant([[1, 2]]), 2, { kernelInitializer: onesInitializer(), biasInitializer: onesInitializer() }),
        dense(constant([[[1, 2]], [[3, -9]]]), 1, { kernelInitializer: onesInitializer(), activation: relu }),
      ],
      async (run, [plain, deep]) => {
        expectClose(await run(plain), [4, 4]);
        expectClose(await run(deep), [3, 0]);
        expect(deep.shape.dims).toEqual([2, 1, 1]);
      },
    ));

  test("unnamed layers in a reused scope share variables in order", () => {
    new Graph().asDefault(() => {
      const model = (): void => void dense(dense(constant([[1, 2]]), 3), 4);
      for (let i = 0; i < 2; i++) variableScope("net", { reuse: AUTO_REUSE }, model);
      const names = ["net/dense/kernel:0", "net/dense/bias:0", "net/dense_1/kernel:0", "net/dense_1/bias:0"];
      expect(trainableVariables().map(({ name }) => name)).toEqual(names);
    });
  });

  test("a layer applied twice has one set of variables", () => {
    new Graph().asDefault(() => {
      const layer = new Dense(3, { name: "fc" });
      const [a, b] = [layer.apply(constant([[1, 2]])), layer.apply(constant([[3, 4]]))];
      expect([a.name, b.name]).toEqual(["fc/BiasAdd:0", "fc/BiasAdd_1:0"]);
      expect(layer.variables.map(({ name }) => name)).toEqual(["fc/kernel:0", "fc/bias:0"]);
    });
  });

  test("kernel regularizers add to the regularization losses", () => {
    new Graph().asDefault(() => {
      dense(constant([[1, 2]]), 1, { kernelRegularizer: value => relu(value, { name: "penalty" }) });
      expect(losses.getRegularizationLosses().map(({ name }) => name)).toEqual(["dense/kernel/Regularizer/penalty:0"]);
    });
  });

  test("images", () =>
    running(
      () => {
        const image = constant(
          Array.from({ length: 16 }, (_, i) => i),
          "float32",
          [1, 4, 4, 1],
        );
        const kernelInitializer = onesInitializer();
        return [
          conv2d(image, 1, 2, { strides: 2, kernelInitializer }),
          conv2dTranspose(constant([1, 2], "float32", [1, 1, 2, 1]), 1, 2, { strides: 2, kernelInitializer }),
          maxPooling2d(image, 2, 2),
          averagePooling2d(image, 2, 2),
          flatten(image),
          dropout(image, 0.5),
        ];
      },
      async (run, [convolved, transposed, greatest, mean, flat, kept]) => {
        expectClose(await run(convolved), [10, 18, 42, 50]);
        expectClose(await run(transposed), [1, 1, 2, 2, 1, 1, 2, 2]);
        expectClose(await run(greatest), [5, 7, 13, 15]);
        expectClose(await run(mean), [2.5, 4.5, 10.5, 12.5]);
        expect(flat.shape.dims).toEqual([1, 16]);
        expect(transposed.shape.dims).toEqual([1, 2, 4, 1]);
        expectClose(
          await run(kept),
          Array.from({ length: 16 }, (_, i) => i),
        );
      },
    ));

  test("batchNormalization by the batch's statistics, and its moving averages", () =>
    running(
      () => {
        const image = constant(
          Array.from({ length: 24 }, (_, i) => i / 10),
          "float32",
          [2, 2, 2, 3],
        );
        const plain = batchNormalization(
          constant([
            [1, 2],
            [3, 6],
          ]),
          { training: true, momentum: 0.9 },
        );
        const fused = batchNormalization(image, { training: true, momentum: 0.9 });
        return {
          plain,
          fused,
          updates: getCollection("update_ops"),
          kept: getCollection("variables").filter(({ name }) => name.includes("moving")),
        };
      },
      async (run, { plain, fused, updates, kept }) => {
        expectClose(await run(plain), [-0.9995004, -0.9998751, 0.9995005, 0.9998751]);
        expectClose(numbersOf(await run(fused)).slice(0, 4), [-1.5259113, -1.5259112, -1.5259113, -1.0899366]);
        await run(updates);
        const [plainMean, plainVariance, mean, variance] = (await run(kept)) as unknown[];
        expectClose(plainMean, [0.2, 0.4]);
        expectClose(plainVariance, [1, 1.3]);
        expectClose(mean, [0.105, 0.115, 0.125]);
        expectClose(variance, [0.954, 0.954, 0.954]);
      },
    ));
});

const numbersOf = (value: unknown) => ({
  slice: (from: number, to: number) => ({ toArray: () => numbers(value).slice(from, to) }),
});
