// Samples of distributions with parameters, bit for bit those that TensorFlow 2.21 gave for the same seeds: first and second run of a session.

import * as tf from "tensorloom";
import { expect, test } from "vitest";

const rows: readonly (readonly [name: string, build: () => tf.Tensor, first: unknown, second: unknown])[] = [
  [
    "small and large alpha",
    () => tf.randomGamma([4], [0.3, 7.5], { seed: 3 }),
    [
      [1.83014362846734e-5, 11.711851119995117],
      [0.0029100419487804174, 6.199117660522461],
      [0.00095540372421965, 3.522634267807007],
      [1.8167673349380493, 5.021968364715576],
    ],
    [
      [1.4395337104797363, 3.0412824153900146],
      [0.00018409639596939087, 4.905203342437744],
      [0.002348217647522688, 4.733514785766602],
      [0.0007378631853498518, 10.783775329589844],
    ],
  ],
  [
    "gamma, float64",
    () => tf.randomGamma([5], [0.3, 2.5], { dtype: tf.float64, seed: 3 }),
    [
      [1.830142706341338e-5, 1.6552692288642923],
      [0.002910041322937424, 0.5079403425630515],
      [0.0009554034368694142, 1.0956576040538453],
      [1.8167672949279212, 2.9321435047892073],
      [1.059697603355455, 1.6102570521617194],
    ],
    [
      [0.002348216917931828, 4.389807994813635],
      [0.0007378629247123868, 3.7220299149847254],
      [4.581283597882814e-10, 0.3838376571892612],
      [0.024827035339145428, 4.681227693841876],
      [0.1203855090905507, 2.4793678896990943],
    ],
  ],
  [
    "gamma, float16",
    () => tf.randomGamma([6], [0.8, 2.5], { dtype: tf.float16, seed: 3 }),
    [
      [0.03521728515625, 0.5078125],
      [0.162109375, 1.095703125],
      [0.1439208984375, 2.931640625],
      [2.728515625, 1.6103515625],
      [2.6328125, 2.708984375],
      [0.00022983551025390625, 3.138671875],
    ],
    [
      [0.0001519918441772461, 4.6796875],
      [0.231201171875, 2.478515625],
      [0.398681640625, 1.0361328125],
      [3.294921875, 1.544921875],
      [0.43310546875, 2.90234375],
      [0.022491455078125, 1.1640625],
    ],
  ],
  [
    "Poisson, small and large rates",
    () => tf.randomPoisson([12, 100, 0.5], [5], { seed: 3 }),
    [
      [16.0, 104.0, 0.0],
      [15.0, 100.0, 0.0],
      [8.0, 99.0, 0.0],
      [18.0, 103.0, 1.0],
      [22.0, 94.0, 0.0],
    ],
    [
      [22.0, 101.0, 0.0],
      [16.0, 104.0, 2.0],
      [12.0, 88.0, 0.0],
      [19.0, 101.0, 0.0],
      [9.0, 93.0, 0.0],
    ],
  ],
  [
    "Poisson to int64",
    () => tf.randomPoisson(tf.constant([12, 100, 2000], tf.float64), [5], { dtype: tf.int64, seed: 3 }),
    [
      [16, 104, 1955],
      [15, 100, 1950],
      [8, 99, 1996],
      [18, 103, 2024],
      [22, 94, 1992],
    ],
    [
      [22, 101, 1979],
      [16, 104, 2068],
      [12, 88, 1966],
      [19, 101, 1998],
      [9, 93, 1936],
    ],
  ],
  [
    "gamma by seed",
    () => tf.random.statelessGamma([3, 2], [1, 2], [0.5, 3]),
    [
      [0.0669536143541336, 3.3503754138946533],
      [0.6282354593276978, 3.403514862060547],
      [0.18136732280254364, 2.4479711055755615],
    ],
    [
      [0.0669536143541336, 3.3503754138946533],
      [0.6282354593276978, 3.403514862060547],
      [0.18136732280254364, 2.4479711055755615],
    ],
  ],
  [
    "Poisson by seed",
    () => tf.random.statelessPoisson([3, 2], [1, 2], [5, 30]),
    [
      [7, 45],
      [5, 25],
      [8, 35],
    ],
    [
      [7, 45],
      [5, 25],
      [8, 35],
    ],
  ],
  [
    "binomial by seed, all its ways",
    () => tf.random.statelessBinomial([6, 4], [1, 2], [10, 200, 50, 50], [0.5, 0.2, 0.9, 0.01]),
    [
      [6, 40, 44, 1],
      [6, 39, 44, 0],
      [7, 33, 47, 1],
      [7, 43, 46, 0],
      [6, 40, 45, 0],
      [6, 37, 44, 1],
    ],
    [
      [6, 40, 44, 1],
      [6, 39, 44, 0],
      [7, 33, 47, 1],
      [7, 43, 46, 0],
      [6, 40, 45, 0],
      [6, 37, 44, 1],
    ],
  ],
  [
    "categories by seed",
    () =>
      tf.random.statelessCategorical(
        [
          [1, 2, 0.5],
          [0, 0, 3],
        ],
        5,
        [1, 2],
      ),
    [
      [1, 2, 0, 1, 1],
      [2, 2, 2, 2, 2],
    ],
    [
      [1, 2, 0, 1, 1],
      [2, 2, 2, 2, 2],
    ],
  ],
  [
    "bounded normals by seed",
    () => tf.random.statelessParameterizedTruncatedNormal([4, 3], [1, 2], [0, 1, -4], 1, [-2, 1.5, -1], [2, 1.8, 5]),
    [
      [0.544110119342804, 1.581597089767456, -0.7767539024353027],
      [0.20738030970096588, 1.6948037147521973, -0.9235026836395264],
      [0.0735643208026886, 1.53208327293396, -0.8478312492370605],
      [0.04643455147743225, 1.5195486545562744, -0.684417724609375],
    ],
    [
      [0.544110119342804, 1.581597089767456, -0.7767539024353027],
      [0.20738030970096588, 1.6948037147521973, -0.9235026836395264],
      [0.0735643208026886, 1.53208327293396, -0.8478312492370605],
      [0.04643455147743225, 1.5195486545562744, -0.684417724609375],
    ],
  ],
  [
    "bounded normals, a row each",
    () =>
      tf.rawOps.ParameterizedTruncatedNormal({
        shape: [3, 4],
        means: [0, 1, -4],
        stdevs: [1, 1, 1],
        minvals: [-2, 1.5, 1],
        maxvals: [2, 1.8, 9],
        seed: 7,
        seed2: 3,
      }),
    [
      [0.9447038173675537, -0.9667906761169434, 0.8051716685295105, 1.3033159971237183],
      [1.650530457496643, 1.6093862056732178, 1.6747188568115234, 1.7016663551330566],
      [1.1798114776611328, 1.0991230010986328, 1.4341702461242676, 1.1983280181884766],
    ],
    [
      [0.5215687155723572, 0.3011165261268616, 0.035032786428928375, -1.0395334959030151],
      [1.5367846488952637, 1.6359577178955078, 1.7208328247070312, 1.6944763660430908],
      [1.2734618186950684, 1.5435638427734375, 1.3089866638183594, 1.2128605842590332],
    ],
  ],
  [
    "bounded normals, far out",
    () => tf.rawOps.ParameterizedTruncatedNormal({ shape: [6], means: 0, stdevs: 1, minvals: 2, maxvals: 9, seed: 7, seed2: 3 }),
    [2.378415107727051, 2.4860658645629883, 2.121345043182373, 2.2856485843658447, 2.977811813354492, 2.2239253520965576],
    [3.030437707901001, 3.618816375732422, 2.414891242980957, 2.006206512451172, 2.8363983631134033, 2.4318559169769287],
  ],
  [
    "integers by seed",
    () => tf.rawOps.StatelessRandomUniformInt({ shape: [5], seed: [1, 2], minval: 3, maxval: 1000 }),
    [91, 698, 212, 856, 336],
    [91, 698, 212, 856, 336],
  ],
  [
    "words by seed",
    () => tf.rawOps.StatelessRandomUniformFullInt({ shape: [3], seed: [1, 2], dtype: "int32" }),
    [1105988140, 1738052849, -335576002],
    [1105988140, 1738052849, -335576002],
  ],
];

async function runs(build: () => tf.Tensor, backend: "wasm" | "reference"): Promise<unknown[]> {
  const graph = new tf.Graph();
  const y = graph.asDefault(build);
  const session = new tf.Session({ graph, config: { backend } });
  const plain = async (): Promise<unknown> => {
    const array = await session.run(y);
    return (array.dtype === "int64" ? array.cast("float64") : array).toArray();
  };
  const results = [await plain(), await plain()];
  await session.close();
  return results;
}

test.each(rows)("[3.245795249938965, 2.8578402996063232, 2.15376615524292]", async (_, build, first, second) => {
  for (const backend of ["wasm", "reference"] as const) expect(await runs(build, backend)).toEqual([first, second]);
});

test("a gamma sample's derivative by its shape parameter", async () => {
  const [[byAlpha]] = await runs(() => {
    const alpha = tf.constant([0.5, 2, 9]);
    return tf.gradients(tf.randomGamma([3], alpha, { seed: 1 }), [alpha])[0] as tf.Tensor;
  }, "wasm").then(([first]) => [[first as number[]]]);
  for (const [i, want] of [3.245795249938965, 2.8578402996063232, 2.15376615524292].entries()) expect(byAlpha[i]).toBeCloseTo(want, 5);
});

test("what is refused", async () => {
  const empty = runs(() => tf.randomPoisson(tf.zeros([0]), [2]), "wasm");
  await expect(empty).rejects.toThrow(/^Input rate should have non-zero element count, got: 0/);
  const bounds = runs(() => tf.random.statelessParameterizedTruncatedNormal([2], [1, 2], { minvals: 3, maxvals: 2 }), "wasm");
  await expect(bounds).rejects.toThrow(/^Invalid parameters/);
  const ending = runs(
    () => tf.random.statelessGamma(tf.placeholderWithDefault(tf.constant([3, 2], tf.int32), [null]), [1, 2], [1, 1, 1]),
    "wasm",
  );
  await expect(ending).rejects.toThrow(/^Shape passed in must end with broadcasted shape\./);
});

// Recorded from TensorFlow.
test("a bounded normal sample moves with its parameters, and so do its gradients", async () => {
  using _graph = new tf.Graph().asDefault();
  const [means, deviation, low, high] = [
    [0, 1, -4],
    1,
    [-2, 1.5, -1],
    [
      [2, 1.8, 5],
      [1, 1.7, 0.5],
    ],
  ].map(value => tf.constant(value, "float64"));
  const sample = tf.random.statelessParameterizedTruncatedNormal([2, 2, 3], [1, 2], means, deviation, low, high);
  const weights = tf.reshape(tf.constant([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2], "float64"), [2, 2, 3]);
  const first: tf.Tensor[] = tf.gradients(sample.mul(weights), [means, deviation, low, high]);
  const second: tf.Tensor[] = tf.gradients(
    first.map(gradient => tf.reduceSum(tf.square(gradient))),
    [means, deviation, low, high],
  );
  await using session = new tf.Session();
  const values = (await session.run([...first, ...second])).map(value =>
    Array.from({ length: value.size }, (_, i) => Number(value.get(i))),
  );
  const recorded = [
    [2.2, 2.6, 3],
    [10.923179676460663],
    [0.15345526526979333, 1.413242502810165, 2.95609766756152],
    [0.10366221996255917, 0.7033893927509087, 0, 0.4663878557138401, 0.47092363836208206, 0.001151272909441503],
    [0.5325537431973473, -19.72061183340648, -5.056963006439844],
    [-26.27233092739513],
    [3.435235764701536, 30.693448840445495, 64.6985283605728],
    [2.22457463963167, 15.443098408484936, 0, 9.797431514352798, 10.571183647879183, 0.04560135506387325],
  ];
  values.forEach((elements, k) => {
    elements.forEach((element, i) => {
      expect(element).toBeCloseTo(recorded[k][i], 9);
    });
  });
});
