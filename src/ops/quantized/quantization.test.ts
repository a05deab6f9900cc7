// Fake quantization and its gradients by inputs and bounds: answers of TensorFlow 2.21.

import * as tf from "tensorloom";
import { expect, test } from "vitest";

type Bounds = readonly (number | readonly number[])[];

const rows: readonly (readonly [
  name: string,
  build: (x: tf.Tensor, a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  bounds: Bounds,
  want: unknown,
])[] = [
  [
    "args",
    x => tf.fakeQuantWithMinMaxArgs(x),
    [],
    [
      [
        [-6.023529529571533, -1.317647099494934, 0.1882352977991104],
        [0.47058823704719543, 5.976470470428467, 5.976470470428467],
      ],
      [
        [0.0, 2.0, 3.0],
        [4.0, 0.0, 0.0],
      ],
    ],
  ],
  [
    "args4",
    x => tf.fakeQuantWithMinMaxArgs(x, { min: -1, max: 3, numBits: 4, narrowRange: true }),
    [],
    [
      [
        [-1.1428571939468384, -1.1428571939468384, 0.2857142984867096],
        [0.5714285969734192, 2.857142925262451, 2.857142925262451],
      ],
      [
        [0.0, 0.0, 3.0],
        [4.0, 0.0, 0.0],
      ],
    ],
  ],
  [
    "vars",
    (x, a, b) => tf.fakeQuantWithMinMaxVars(x, a, b, { numBits: 3 }),
    [-1.1, 4.7],
    [
      [
        [-0.8285713791847229, -0.8285713791847229, 0.0],
        [0.8285713791847229, 4.971428394317627, 4.971428394317627],
      ],
      [
        [0.0, 0.0, 3.0],
        [4.0, 0.0, 0.0],
      ],
      3.0,
      11.0,
    ],
  ],
  [
    "zero",
    (x, a, b) => tf.fakeQuantWithMinMaxVars(x, a, b),
    [0, 0],
    [
      [
        [0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0],
      ],
      [
        [1.0, 2.0, 3.0],
        [4.0, 5.0, 6.0],
      ],
      0.0,
      0.0,
    ],
  ],
  [
    "positive",
    (x, a, b) => tf.fakeQuantWithMinMaxVars(x, a, b),
    [1, 4],
    [
      [
        [0.0, 0.0, 0.20000000298023224],
        [0.4470588266849518, 3.0, 3.0],
      ],
      [
        [0.0, 0.0, 3.0],
        [4.0, 0.0, 0.0],
      ],
      3.0,
      11.0,
    ],
  ],
  [
    "channels",
    (x, a, b) => tf.fakeQuantWithMinMaxVarsPerChannel(x, a, b),
    [
      [-1, -2, 0.1],
      [1, 3, 7],
    ],
    [
      [
        [-0.9960784912109375, -1.2941176891326904, 0.18941175937652588],
        [0.44705885648727417, 3.0, 6.900000095367432],
      ],
      [
        [0.0, 2.0, 3.0],
        [4.0, 0.0, 0.0],
      ],
      [1.0, 0.0, 0.0],
      [0.0, 5.0, 6.0],
    ],
  ],
];

test.each(rows)("%s", async (_, build, bounds, want) => {
  for (const backend of ["wasm", "reference"] as const) {
    const graph = new tf.Graph();
    const fetches = graph.asDefault(() => {
      const x = tf.constant([
        [-7, -1.3, 0.2],
        [0.45, 5.99, 9],
      ]);
      const given = bounds.map(bound => tf.constant(bound));
      const y = build(x, given[0], given[1]);
      const weighted = y.mul([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      return [y, ...(tf.gradients(weighted, [x, ...given]) as tf.Tensor[])];
    });
    const session = new tf.Session({ graph, config: { backend } });
    expect((await session.run(fetches)).map(array => array.toArray())).toEqual(want);
    await session.close();
  }
});

test("what is refused", async () => {
  const refusal = async (build: () => tf.Tensor): Promise<string> => {
    const graph = new tf.Graph();
    const built = graph.asDefault(build);
    const session = new tf.Session({ graph });
    const text = await session.run(built).then(
      () => "nothing",
      (error: Error) => error.message.split("\n")[0],
    );
    await session.close();
    return text;
  };
  expect(await refusal(() => tf.fakeQuantWithMinMaxArgs([1], { numBits: 1 }))).toBe("num_bits must be between 2 and 16, inclusive");
  expect(await refusal(() => tf.fakeQuantWithMinMaxArgs([1], { min: 2, max: 1 }))).toBe("min has to be smaller than max, was: 2 >= 1");
  // TensorFlow leaves its outputs unset where there are no images, and runs out of memory where there is one.
  const resized = (images: number): tf.Tensor =>
    tf.rawOps.QuantizedResizeBilinear({ images: tf.zeros([images, 2, 2, 1]), size: [2 ** 20, 2 ** 20], min: 0, max: 1 }).resizedImages;
  expect(await refusal(() => resized(0))).toBe("nothing");
  expect(await refusal(() => resized(1))).toContain("OOM when allocating tensor with shape[1,1048576,1048576,1]");
});
