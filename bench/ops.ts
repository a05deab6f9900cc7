// Single operations of all families beside TensorFlow, one thread each, in turns: where it is faster and where not. `npm run bench -- ops [TEXT]`.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as tf from "tensorloom";
import { Peer } from "./peers.ts";

/** What is timed: here, and as TensorFlow's Python says it. */
interface Row {
  readonly name: string;
  readonly python: string;
  readonly build: (make: Make) => tf.Tensor;
}

interface Make {
  /** A variable of normal numbers. */
  v(...shape: number[]): tf.Tensor;
  /** One of integers from `low` up to `high`. */
  iv(count: number, low: number, high: number): tf.Tensor;
}

const row = (name: string, python: string, build: Row["build"]): Row => ({ name, python, build });
const gradient = (y: tf.Tensor, x: tf.Tensor): tf.Tensor => tf.gradients(y, x)[0] as tf.Tensor;
const complexOf = ({ v }: Make, ...shape: number[]): tf.Tensor => tf.complex(v(...shape), v(...shape));

const rows: Readonly<Record<string, readonly Row[]>> = {
  "images and windows": [
    row("conv2d 3×3, 8×28×28×64", "tf.nn.conv2d(v(8,28,28,64),v(3,3,64,64),1,'SAME')", ({ v }) =>
      tf.nn.conv2d(v(8, 28, 28, 64), v(3, 3, 64, 64), 1, "SAME"),
    ),
    row("conv2d 7×7, stride 2", "tf.nn.conv2d(v(4,112,112,3),v(7,7,3,64),2,'SAME')", ({ v }) =>
      tf.nn.conv2d(v(4, 112, 112, 3), v(7, 7, 3, 64), 2, "SAME"),
    ),
    row("conv3d 3×3×3", "tf.nn.conv3d(v(2,16,16,16,16),v(3,3,3,16,32),[1]*5,'SAME')", ({ v }) =>
      tf.nn.conv3d(v(2, 16, 16, 16, 16), v(3, 3, 3, 16, 32), [1, 1, 1, 1, 1], "SAME"),
    ),
    row("depthwise 3×3", "tf.nn.depthwise_conv2d(v(8,28,28,128),v(3,3,128,1),[1]*4,'SAME')", ({ v }) =>
      tf.nn.depthwiseConv2d(v(8, 28, 28, 128), v(3, 3, 128, 1), [1, 1, 1, 1], "SAME"),
    ),
    row("max_pool 2×2", "tf.nn.max_pool(v(8,56,56,64),2,2,'SAME')", ({ v }) => tf.nn.maxPool(v(8, 56, 56, 64), 2, 2, "SAME")),
    row("avg_pool 3×3", "tf.nn.avg_pool(v(8,56,56,64),3,1,'SAME')", ({ v }) => tf.nn.avgPool(v(8, 56, 56, 64), 3, 1, "SAME")),
    row("resize_bilinear", "tf.image.resize_bilinear(v(4,56,56,64),[112,112])", ({ v }) =>
      tf.image.resizeBilinear(v(4, 56, 56, 64), [112, 112]),
    ),
    row("resize_nearest_neighbor", "tf.image.resize_nearest_neighbor(v(4,56,56,64),[112,112])", ({ v }) =>
      tf.image.resizeNearestNeighbor(v(4, 56, 56, 64), [112, 112]),
    ),
    row("rgb_to_hsv", "tf.image.rgb_to_hsv(tf.abs(v(4,112,112,3)))", ({ v }) => tf.image.rgbToHsv(tf.abs(v(4, 112, 112, 3)))),
  ],
  elementwise: [
    row("erf", "tf.erf(v(1000,1000))", ({ v }) => tf.erf(v(1000, 1000))),
    row("sin", "tf.sin(v(1000,1000))", ({ v }) => tf.sin(v(1000, 1000))),
    row("tanh", "tf.tanh(v(1000,1000))", ({ v }) => tf.tanh(v(1000, 1000))),
    row("pow", "tf.pow(tf.abs(v(1000,1000)),v(1000,1000))", ({ v }) => tf.pow(tf.abs(v(1000, 1000)), v(1000, 1000))),
    row("lgamma", "tf.lgamma(v(1000,300))", ({ v }) => tf.lgamma(v(1000, 300))),
    row("exp, float64", "tf.exp(tf.cast(v(1000,300),tf.float64))", ({ v }) => tf.exp(tf.cast(v(1000, 300), "float64"))),
    row("cast to uint8 and back", "tf.cast(tf.cast(tf.abs(v(1000,1000)),tf.uint8),tf.float32)", ({ v }) =>
      tf.cast(tf.cast(tf.abs(v(1000, 1000)), "uint8"), "float32"),
    ),
    row("cast to float16 and back", "tf.cast(tf.cast(v(1000,1000),tf.float16),tf.float32)", ({ v }) =>
      tf.cast(tf.cast(v(1000, 1000), "float16"), "float32"),
    ),
    row("floordiv, int32", "iv(1000000,1,1000)//7", ({ iv }) => tf.floordiv(iv(1_000_000, 1, 1000), 7)),
    row("add with broadcasting", "v(1000,1,100)+v(1,100,100)", ({ v }) => tf.add(v(1000, 1, 100), v(1, 100, 100))),
    row("where", "tf.where(v(1000,1000)>0,v(1000,1000),v(1000,1000))", ({ v }) =>
      tf.where(tf.greater(v(1000, 1000), 0), v(1000, 1000), v(1000, 1000)),
    ),
    row("dropout", "tf.nn.dropout(v(1000,1000),rate=0.5,seed=1)", ({ v }) => tf.nn.dropout(v(1000, 1000), { rate: 0.5, seed: 1 })),
  ],
  "reductions and softmax": [
    row("reduce_sum, rows", "tf.reduce_sum(v(2000,1000),1)", ({ v }) => tf.reduceSum(v(2000, 1000), 1)),
    row("reduce_sum, columns", "tf.reduce_sum(v(2000,1000),0)", ({ v }) => tf.reduceSum(v(2000, 1000), 0)),
    row("argmax", "tf.argmax(v(2000,1000),1)", ({ v }) => tf.argmax(v(2000, 1000), 1)),
    row("reduce_logsumexp", "tf.reduce_logsumexp(v(2000,1000),1)", ({ v }) => tf.reduceLogsumexp(v(2000, 1000), 1)),
    row("softmax", "tf.nn.softmax(v(20000,10))", ({ v }) => tf.nn.softmax(v(20000, 10))),
    row("log_softmax", "tf.nn.log_softmax(v(1000,1000))", ({ v }) => tf.nn.logSoftmax(v(1000, 1000))),
    row("moments", "tf.nn.moments(v(64,28,28,32),[0,1,2])[1]", ({ v }) => tf.nn.moments(v(64, 28, 28, 32), [0, 1, 2])[1]),
    row("cumsum", "tf.cumsum(v(1000,1000),1)", ({ v }) => tf.cumsum(v(1000, 1000), 1)),
  ],
  products: [
    row("matmul, float64", "tf.matmul(tf.cast(v(300,300),tf.float64),tf.cast(v(300,300),tf.float64))", ({ v }) =>
      tf.matmul(tf.cast(v(300, 300), "float64"), tf.cast(v(300, 300), "float64")),
    ),
    row("matmul, 64 of 64×64", "tf.matmul(v(64,64,64),v(64,64,64))", ({ v }) => tf.matmul(v(64, 64, 64), v(64, 64, 64))),
    row("matmul with a vector", "tf.matmul(v(2000,2000),v(2000,1))", ({ v }) => tf.matmul(v(2000, 2000), v(2000, 1))),
    row("matmul, complex64", "tf.matmul(tf.complex(v(200,200),v(200,200)),tf.complex(v(200,200),v(200,200)))", make =>
      tf.matmul(complexOf(make, 200, 200), complexOf(make, 200, 200)),
    ),
    row("einsum bij,bkj->bik", "tf.einsum('bij,bkj->bik',v(16,64,128),v(16,64,128))", ({ v }) =>
      tf.einsum("bij,bkj->bik", v(16, 64, 128), v(16, 64, 128)),
    ),
  ],
  "moving and finding": [
    row("transpose", "tf.transpose(v(2000,1000))", ({ v }) => tf.transpose(v(2000, 1000))),
    row("transpose to channels last", "tf.transpose(v(16,64,56,56),[0,2,3,1])", ({ v }) => tf.transpose(v(16, 64, 56, 56), [0, 2, 3, 1])),
    row("concat", "tf.concat([v(1000,500),v(1000,500)],1)", ({ v }) => tf.concat([v(1000, 500), v(1000, 500)], 1)),
    row("pad", "tf.pad(v(8,56,56,64),[[0,0],[1,1],[1,1],[0,0]])", ({ v }) =>
      tf.pad(v(8, 56, 56, 64), [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ]),
    ),
    row("reverse", "tf.reverse(v(1000,1000),[1])", ({ v }) => tf.reverse(v(1000, 1000), [1])),
    row("gather", "tf.gather(v(10000,100),iv(20000,0,10000))", ({ v, iv }) => tf.gather(v(10000, 100), iv(20000, 0, 10000))),
    row("unsorted_segment_sum", "tf.math.unsorted_segment_sum(v(20000,64),iv(20000,0,1000),1000)", ({ v, iv }) =>
      tf.math.unsortedSegmentSum(v(20000, 64), iv(20000, 0, 1000), 1000),
    ),
    row("one_hot", "tf.one_hot(iv(10000,0,1000),1000)", ({ iv }) => tf.oneHot(iv(10000, 0, 1000), 1000)),
    row("indices where", "tf.where(v(1000,1000)>0)", ({ v }) => tf.where(tf.greater(v(1000, 1000), 0))),
    row("sort", "tf.sort(v(100,10000))", ({ v }) => tf.sort(v(100, 10000))),
    row("top_k", "tf.nn.top_k(v(1000,1000),5).values", ({ v }) => tf.nn.topK(v(1000, 1000), 5).values),
    row("searchsorted", "tf.searchsorted(tf.sort(v(1,1000)),v(1,100000))", ({ v }) => tf.searchsorted(tf.sort(v(1, 1000)), v(1, 100_000))),
    row("bincount", "tf.bincount(iv(1000000,0,100))", ({ iv }) => tf.bincount(iv(1_000_000, 0, 100))),
  ],
  "linear algebra": [
    row("cholesky, 200", "tf.cholesky(tf.matmul(v(200,200),v(200,200),transpose_b=True)*0.0+200.*tf.eye(200))", ({ v }) =>
      tf.cholesky(tf.add(tf.multiply(tf.matmul(v(200, 200), v(200, 200), { transposeB: true }), 0), tf.multiply(200, tf.eye(200)))),
    ),
    row("matrix_inverse, 200", "tf.matrix_inverse(v(200,200))", ({ v }) => tf.matrixInverse(v(200, 200))),
    row("matrix_solve, 200", "tf.matrix_solve(v(200,200),v(200,50))", ({ v }) => tf.matrixSolve(v(200, 200), v(200, 50))),
    row("qr, 200×100", "tf.qr(v(200,100))[0]", ({ v }) => tf.linalg.qr(v(200, 100)).q),
    row("svd, 100", "tf.svd(v(100,100))[1]", ({ v }) => tf.svd(v(100, 100))[1]),
    row("self_adjoint_eig, 100", "tf.self_adjoint_eig(v(100,100))[1]", ({ v }) => tf.selfAdjointEig(v(100, 100)).v),
    row("matrix_inverse, 1000 of 8", "tf.matrix_inverse(v(1000,8,8))", ({ v }) => tf.matrixInverse(v(1000, 8, 8))),
  ],
  "spectra and complex numbers": [
    row("fft, 100 of 1024", "tf.abs(tf.fft(tf.complex(v(100,1024),v(100,1024))))", make => tf.abs(tf.fft(complexOf(make, 100, 1024)))),
    row("rfft2d, 16 of 128×128", "tf.abs(tf.signal.rfft2d(v(16,128,128)))", ({ v }) => tf.abs(tf.signal.rfft2d(v(16, 128, 128)))),
    row("stft, 8 of 16000", "tf.abs(tf.signal.stft(v(8,16000),400,160))", ({ v }) => tf.abs(tf.signal.stft(v(8, 16000), 400, 160))),
    row("size of a product", "tf.abs(tf.complex(v(300,1000),v(300,1000))*tf.complex(v(300,1000),v(300,1000)))", make =>
      tf.abs(tf.multiply(complexOf(make, 300, 1000), complexOf(make, 300, 1000))),
    ),
  ],
  "texts and files": [
    row(
      "string_split",
      "tf.size(tf.string_split(tf.strings.join([tf.as_string(iv(10000,0,1000)),'quick brown fox'],' ')).values)",
      ({ iv }) => tf.size(tf.stringSplit(tf.strings.join([tf.asString(iv(10000, 0, 1000)), "quick brown fox"], { separator: " " })).values),
    ),
    row("hash buckets", "tf.reduce_sum(tf.string_to_hash_bucket_fast(tf.as_string(iv(100000,0,1000)),1000))", ({ iv }) =>
      tf.reduceSum(tf.stringToHashBucketFast(tf.asString(iv(100_000, 0, 1000)), 1000)),
    ),
    row("JPEG there and back", "tf.image.decode_jpeg(tf.image.encode_jpeg(tf.cast(tf.abs(v(224,224,3))*100.,tf.uint8)))", ({ v }) =>
      tf.image.decodeJpeg(tf.image.encodeJpeg(tf.cast(tf.multiply(tf.abs(v(224, 224, 3)), 100), "uint8"))),
    ),
  ],
  "loops and gradients": [
    row("while_loop of 10000", "tf.while_loop(lambda i,a: i<10000, lambda i,a:(i+1,a*1.0001), [0,1.0])[1]", () => {
      const [, last] = tf.whileLoop(
        (i, _) => tf.less(i as tf.Tensor, 10000),
        (i, a) => [tf.add(i as tf.Tensor, 1), tf.multiply(a as tf.Tensor, 1.0001)],
        [tf.constant(0, "int32"), tf.constant(1)],
      ) as [tf.Tensor, tf.Tensor];
      return last;
    }),
    row("gradient of max_pool", "(lambda x: gradient(tf.nn.max_pool(x,2,2,'SAME'),x))(v(8,56,56,64))", ({ v }) => {
      const x = v(8, 56, 56, 64);
      return gradient(tf.nn.maxPool(x, 2, 2, "SAME"), x);
    }),
    row("gradient of lrn", "(lambda x: gradient(tf.nn.lrn(x),x))(v(8,28,28,64))", ({ v }) => {
      const x = v(8, 28, 28, 64);
      return gradient(tf.nn.lrn(x), x);
    }),
  ],
};

/** Numbers that are the same every time: sums of three uniform ones, near enough to normal. */
function makeOf(): Make {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const variable = (array: tf.NDArray): tf.Tensor => tf.identity(new tf.Variable(array));
  const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
  return {
    v: (...shape) =>
      variable(
        new tf.NDArray(
          "float32",
          shape,
          Float32Array.from({ length: count(shape) }, () => 2 * (next() + next() + next()) - 3),
        ),
      ),
    iv: (length, low, high) =>
      variable(
        new tf.NDArray(
          "int32",
          [length],
          Int32Array.from({ length }, () => low + Math.floor(next() * (high - low))),
        ),
      ),
  };
}

async function startOurs({ build }: Row, threads: number): Promise<{ step: () => unknown; close: () => unknown }> {
  const graph = new tf.Graph();
  const { fetch, initialize } = graph.asDefault(() => ({ fetch: build(makeOf()), initialize: tf.globalVariablesInitializer() }));
  const session = new tf.Session({ graph, config: { intraOpParallelismThreads: threads } });
  await session.run(initialize);
  const step = await session.makeCallable(fetch);
  return { step, close: () => session.close() };
}

async function timed(step: () => unknown, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + 1000 * seconds;
  while (times.length < 3 || performance.now() < end) {
    const began = performance.now();
    await step();
    times.push(performance.now() - began);
  }
  return times;
}

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

export interface OpTiming {
  readonly family: string;
  readonly name: string;
  readonly medianMs: number;
  readonly minMs: number;
  /** TensorFlow's, where it ran. */
  readonly peerMs?: number;
  /** Ours by TensorFlow's, the least of each: what else a machine does only adds to a time. */
  readonly ratio?: number;
  readonly error?: string;
}

interface Settings {
  readonly rounds: number;
  readonly seconds: number;
  readonly threads: number;
}

async function measure(family: string, each: Row, peer: Peer | undefined, { rounds, seconds, threads }: Settings): Promise<OpTiming> {
  const { step, close } = await startOurs(each, threads);
  await timed(step, 0.1);
  let error: string | undefined;
  if (peer)
    await peer.start(`op:${encodeURIComponent(each.python)}`).catch((reason: unknown) => {
      error = String(reason);
    });
  const [ours, theirs]: number[][] = [[], []];
  for (let round = 0; round < rounds; round++) {
    ours.push(...(await timed(step, seconds)));
    if (peer && error === undefined) theirs.push(...(await peer.time(seconds)));
  }
  await close();
  return {
    family,
    name: each.name,
    medianMs: medianOf(ours),
    minMs: Math.min(...ours),
    ...(theirs.length > 0 && { peerMs: medianOf(theirs), ratio: Math.min(...ours) / Math.min(...theirs) }),
    ...(error !== undefined && { error }),
  };
}

const ms = (value: number): string => value.toFixed(value < 10 ? 2 : 1);

/** How often we are slower than TensorFlow, and where most. */
function summaryOf(timings: readonly OpTiming[]): string {
  const compared = timings.filter(({ ratio }) => ratio !== undefined) as (OpTiming & { ratio: number })[];
  if (compared.length === 0) return "";
  const slower = compared.filter(({ ratio }) => ratio > 1.1).sort((a, b) => b.ratio - a.ratio);
  const faster = compared.filter(({ ratio }) => ratio < 0.9).length;
  const worst = slower
    .slice(0, 10)
    .map(({ name, ratio }) => `${name} ${ratio.toFixed(1)}`)
    .join("; ");
  return `Of ${compared.length}, ${faster} take less than nine tenths of TensorFlow's time and ${slower.length} more than eleven tenths; the most (ours by TensorFlow's): ${worst}.`;
}

/** Times the operations whose names contain the text; `against` is tf or nothing. */
export async function printOps(text: string, against: string, settings: Settings, file: string, writes: boolean): Promise<void> {
  const peer = against === "" ? undefined : await Peer.open(against, settings.threads);
  const timings: OpTiming[] = [];
  console.log(
    "operation".padEnd(30),
    "median ms".padStart(10),
    "least".padStart(8),
    peer ? "TensorFlow".padStart(11) + "ratio".padStart(8) : "",
  );
  for (const [family, list] of Object.entries(rows))
    for (const each of list.filter(({ name }) => name.includes(text))) {
      const timing = await measure(family, each, peer, settings);
      timings.push(timing);
      const theirs =
        timing.ratio === undefined ? (timing.error ?? "") : ms(timing.peerMs ?? 0).padStart(11) + timing.ratio.toFixed(2).padStart(8);
      console.log(each.name.padEnd(30), ms(timing.medianMs).padStart(10), ms(timing.minMs).padStart(8), theirs);
    }
  peer?.close();
  const summary = summaryOf(timings);
  if (summary !== "") console.log(`\n${summary}`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(
    file,
    `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), node: process.version, settings, timings }, null, 2)}\n`,
  );
  console.log(`written to ${file}`);
  if (writes && peer) writeSection(timings, summary, settings);
}

const performanceFile = "docs/performance.md";
const [begin, end] = ["<!-- ops -->", "<!-- end of ops -->"];

/** Puts the table between its markers; everything else is left alone. */
function writeSection(timings: readonly OpTiming[], summary: string, { threads }: Settings): void {
  const table = timings.map(
    ({ name, medianMs, peerMs, ratio }) => `| ${name} | ${ms(medianMs)} | ${ms(peerMs ?? 0)} | ${ratio?.toFixed(2) ?? "-"} |`,
  );
  const lines = [
    begin,
    "## Single operations",
    "",
    `Milliseconds of a run that fetches the result, threads: ${threads}, in turns, medians and the ratio of the least (\`npm run bench -- ops --against tf\`). ${summary}`,
    "",
    "| operation | ours | TensorFlow | ratio |",
    "| --- | ---: | ---: | ---: |",
    ...table,
    end,
  ].join("\n");
  const text = readFileSync(performanceFile, "utf8");
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  const next = from >= 0 && to > from ? text.slice(0, from) + lines + text.slice(to + end.length) : `${text.trimEnd()}\n\n${lines}\n`;
  writeFileSync(performanceFile, next);
  console.log(`written to ${performanceFile}`);
}
