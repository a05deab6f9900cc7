// Single operations of all families beside TensorFlow, one thread each, in turns: where it is faster and where not. `npm run bench -- ops [TEXT]`.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as tf from "tensorloom";
import { messageToBytes } from "tensorloom/formats";
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
  /** One of texts: "the quick 37 brown fox … " with five numbers and as many words. */
  sv(count: number): tf.Tensor;
  /** One of serialized Examples, each with a vector of 20 floats, an integer and a word. */
  examples(count: number): tf.Tensor;
}

const row = (name: string, python: string, build: Row["build"]): Row => ({ name, python, build });
const gradient = (y: tf.Tensor, x: tf.Tensor): tf.Tensor => tf.gradients(y, x)[0] as tf.Tensor;
const complexOf = ({ v }: Make, ...shape: number[]): tf.Tensor => tf.complex(v(...shape), v(...shape));

/** A table of the numbers below 1000 as texts. */
function vocabulary(): tf.lookup.StaticHashTable {
  const keys = tf.constant(Array.from({ length: 1000 }, (_, i) => String(i)));
  const values = tf.constant(
    Array.from({ length: 1000 }, (_, i) => i),
    "int64",
  );
  return new tf.lookup.StaticHashTable(new tf.lookup.KeyValueTensorInitializer(keys, values), tf.constant(-1, "int64"));
}

export const rows: Readonly<Record<string, readonly Row[]>> = {
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
    row("conv2d_transpose, stride 2", 'tf.nn.conv2d_transpose(v(8,28,28,64),v(4,4,32,64),[8,56,56,32],2,"SAME")', ({ v }) =>
      tf.nn.conv2dTranspose(v(8, 28, 28, 64), v(4, 4, 32, 64), [8, 56, 56, 32], 2, "SAME"),
    ),
    row("avg_pool3d", 'tf.nn.avg_pool3d(v(2,16,32,32,16),2,2,"SAME")', ({ v }) => tf.nn.avgPool3d(v(2, 16, 32, 32, 16), 2, 2, "SAME")),
    row(
      "fused_batch_norm",
      "tf.nn.fused_batch_norm(v(8,56,56,64),v(64),v(64))[0]",
      ({ v }) => tf.nn.fusedBatchNorm(v(8, 56, 56, 64), v(64), v(64))[0] as tf.Tensor,
    ),
    row("lrn", "tf.nn.lrn(v(8,28,28,64))", ({ v }) => tf.nn.lrn(v(8, 28, 28, 64))),
    row("resize_bicubic", "tf.image.resize_bicubic(v(4,56,56,16),[112,112])", ({ v }) =>
      tf.image.resizeBicubic(v(4, 56, 56, 16), [112, 112]),
    ),
    row("resize_area", "tf.image.resize_area(v(4,112,112,16),[56,56])", ({ v }) => tf.image.resizeArea(v(4, 112, 112, 16), [56, 56])),
    row("crop_and_resize", "tf.image.crop_and_resize(v(4,56,56,32),tf.sigmoid(v(64,4)),iv(64,0,4),[14,14])", ({ v, iv }) =>
      tf.image.cropAndResize(v(4, 56, 56, 32), tf.sigmoid(v(64, 4)), iv(64, 0, 4), [14, 14]),
    ),
    row("non_max_suppression", "tf.image.non_max_suppression(tf.sigmoid(v(2000,4)),v(2000),100)", ({ v }) =>
      tf.image.nonMaxSuppression(tf.sigmoid(v(2000, 4)), v(2000), 100),
    ),
    row("extract_image_patches", 'tf.image.extract_image_patches(v(8,56,56,16),[1,3,3,1],[1,1,1,1],[1,1,1,1],"SAME")', ({ v }) =>
      tf.image.extractImagePatches(v(8, 56, 56, 16), [1, 3, 3, 1], [1, 1, 1, 1], [1, 1, 1, 1], "SAME"),
    ),
    row("space_to_depth", "tf.space_to_depth(v(8,56,56,64),2)", ({ v }) => tf.spaceToDepth(v(8, 56, 56, 64), 2)),
    row("adjust_hue", "tf.image.adjust_hue(tf.sigmoid(v(4,112,112,3)),0.1)", ({ v }) =>
      tf.image.adjustHue(tf.sigmoid(v(4, 112, 112, 3)), 0.1),
    ),
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
    row("log", "tf.log(tf.abs(v(1000,1000)))", ({ v }) => tf.log(tf.abs(v(1000, 1000)))),
    row("log, float64", "tf.log(tf.cast(tf.abs(v(1000,300)),tf.float64))", ({ v }) => tf.log(tf.cast(tf.abs(v(1000, 300)), "float64"))),
    row("tanh, float64", "tf.tanh(tf.cast(v(1000,300),tf.float64))", ({ v }) => tf.tanh(tf.cast(v(1000, 300), "float64"))),
    row("cast to bfloat16 and back", "tf.cast(tf.cast(v(1000,1000),tf.bfloat16),tf.float32)", ({ v }) =>
      tf.cast(tf.cast(v(1000, 1000), "bfloat16"), "float32"),
    ),
    row("arithmetic in float16", "tf.cast(tf.cast(v(1000,300),tf.float16)*tf.cast(v(1000,300),tf.float16),tf.float32)", ({ v }) =>
      tf.cast(tf.multiply(tf.cast(v(1000, 300), "float16"), tf.cast(v(1000, 300), "float16")), "float32"),
    ),
    row("arithmetic in int64", "tf.cast(iv(1000000,0,1000),tf.int64)*3+1", ({ iv }) =>
      tf.add(tf.multiply(tf.cast(iv(1_000_000, 0, 1000), "int64"), tf.constant(3, "int64")), tf.constant(1, "int64")),
    ),
    row("floormod, int64", "tf.cast(iv(1000000,0,1000),tf.int64)%7", ({ iv }) =>
      tf.floormod(tf.cast(iv(1_000_000, 0, 1000), "int64"), tf.constant(7, "int64")),
    ),
    row("less and logical_and", "tf.logical_and(v(1000,1000)<0.5,v(1000,1000)>-0.5)", ({ v }) =>
      tf.logicalAnd(tf.less(v(1000, 1000), 0.5), tf.greater(v(1000, 1000), -0.5)),
    ),
    row("random_uniform", "tf.random_uniform([1000,1000],seed=1)", () => tf.randomUniform([1000, 1000], { seed: 1 })),
    row("random_normal", "tf.random_normal([1000,1000],seed=1)", () => tf.randomNormal([1000, 1000], { seed: 1 })),
    row("truncated_normal", "tf.truncated_normal([1000,1000],seed=1)", () => tf.truncatedNormal([1000, 1000], { seed: 1 })),
    row("multinomial", "tf.multinomial(v(100,1000),100,seed=1)", ({ v }) => tf.multinomial(v(100, 1000), 100, { seed: 1 })),
    row("random_shuffle", "tf.random_shuffle(v(100000,4),seed=1)", ({ v }) => tf.randomShuffle(v(100_000, 4), { seed: 1 })),
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
    row("reduce_max, middle axis", "tf.reduce_max(v(64,100,300),1)", ({ v }) => tf.reduceMax(v(64, 100, 300), 1)),
    row("reduce_prod", "tf.reduce_prod(v(2000,1000),1)", ({ v }) => tf.reduceProd(v(2000, 1000), 1)),
    row("reduce_any", "tf.reduce_any(v(2000,1000)>2.9,1)", ({ v }) => tf.reduceAny(tf.greater(v(2000, 1000), 2.9), 1)),
    row("argmax, columns", "tf.argmax(v(2000,1000),0)", ({ v }) => tf.argmax(v(2000, 1000), 0)),
    row("cumsum, columns", "tf.cumsum(v(1000,1000),0)", ({ v }) => tf.cumsum(v(1000, 1000), 0)),
    row(
      "sparse softmax cross entropy",
      "tf.nn.sparse_softmax_cross_entropy_with_logits(labels=iv(1000,0,1000),logits=v(1000,1000))",
      ({ v, iv }) => tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: iv(1000, 0, 1000), logits: v(1000, 1000) }),
    ),
    row("in_top_k", "tf.nn.in_top_k(v(1000,1000),iv(1000,0,1000),5)", ({ v, iv }) => tf.nn.inTopK(v(1000, 1000), iv(1000, 0, 1000), 5)),
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
    row("transpose of rank 5", "tf.transpose(v(16,8,32,8,32),[0,3,1,4,2])", ({ v }) => tf.transpose(v(16, 8, 32, 8, 32), [0, 3, 1, 4, 2])),
    row("split", "tf.add_n(tf.split(v(1000,1000),4,1))", ({ v }) => tf.addN(tf.split(v(1000, 1000), 4, 1))),
    row("stack", "tf.stack([v(1000,300),v(1000,300),v(1000,300)],2)", ({ v }) => tf.stack([v(1000, 300), v(1000, 300), v(1000, 300)], 2)),
    row("strided_slice", "v(1000,1000)[::2,1::2]", ({ v }) => tf.stridedSlice(v(1000, 1000), [0, 1], [1000, 1000], [2, 2])),
    row("tile", "tf.tile(v(100,100),[10,10])", ({ v }) => tf.tile(v(100, 100), [10, 10])),
    row("gather, columns", "tf.gather(v(1000,1000),iv(500,0,1000),axis=1)", ({ v, iv }) =>
      tf.gather(v(1000, 1000), iv(500, 0, 1000), { axis: 1 }),
    ),
    row("gather_nd", "tf.gather_nd(v(1000,1000),tf.reshape(iv(200000,0,1000),[100000,2]))", ({ v, iv }) =>
      tf.gatherNd(v(1000, 1000), tf.reshape(iv(200_000, 0, 1000), [100_000, 2])),
    ),
    row("scatter_nd", "tf.scatter_nd(tf.reshape(iv(20000,0,10000),[20000,1]),v(20000,64),[10000,64])", ({ v, iv }) =>
      tf.scatterNd(tf.reshape(iv(20000, 0, 10000), [20000, 1]), v(20000, 64), [10000, 64]),
    ),
    row("segment_sum", "tf.segment_sum(v(20000,64),tf.sort(iv(20000,0,1000)))", ({ v, iv }) =>
      tf.segmentSum(v(20000, 64), tf.sort(iv(20000, 0, 1000))),
    ),
    row("segment_mean", "tf.segment_mean(v(20000,64),tf.sort(iv(20000,0,1000)))", ({ v, iv }) =>
      tf.segmentMean(v(20000, 64), tf.sort(iv(20000, 0, 1000))),
    ),
    row("boolean_mask", "tf.boolean_mask(v(1000,1000),v(1000)>0)", ({ v }) => tf.booleanMask(v(1000, 1000), tf.greater(v(1000), 0))),
    row("unique", "tf.unique(iv(100000,0,1000))[0]", ({ iv }) => tf.unique(iv(100_000, 0, 1000)).y),
    row("dynamic_partition", "tf.concat(tf.dynamic_partition(v(10000,100),iv(10000,0,4),4),0)", ({ v, iv }) =>
      tf.concat(tf.dynamicPartition(v(10000, 100), iv(10000, 0, 4), 4), 0),
    ),
    row("argsort", "tf.argsort(v(100,10000))", ({ v }) => tf.argsort(v(100, 10000))),
    row("top_k, 1000", "tf.nn.top_k(v(100,10000),1000).values", ({ v }) => tf.nn.topK(v(100, 10000), 1000).values),
    row("range", "tf.range(tf.reduce_max(iv(2,9999999,10000000)))", ({ iv }) => tf.range(tf.reduceMax(iv(2, 9_999_999, 10_000_000)))),
    row("sequence_mask", "tf.sequence_mask(iv(1000,0,1000),1000)", ({ iv }) => tf.sequenceMask(iv(1000, 0, 1000), 1000)),
    row("histogram_fixed_width", "tf.histogram_fixed_width(v(1000,1000),[-3.,3.])", ({ v }) =>
      tf.histogramFixedWidth(v(1000, 1000), [-3, 3]),
    ),
    row("confusion_matrix", "tf.confusion_matrix(iv(100000,0,100),iv(100000,0,100),100)", ({ iv }) =>
      tf.confusionMatrix(iv(100_000, 0, 100), iv(100_000, 0, 100), 100),
    ),
    row(
      "sparse_tensor_dense_matmul",
      "(lambda i: tf.sparse_tensor_dense_matmul(tf.SparseTensor(tf.cast(tf.stack([tf.sort(i),i],1),tf.int64),v(50000),[1000,1000]),v(1000,64)))(iv(50000,0,1000))",
      ({ v, iv }) => {
        const i = iv(50000, 0, 1000);
        const indices = tf.cast(tf.stack([tf.sort(i), i], 1), "int64");
        return tf.sparseTensorDenseMatmul(new tf.SparseTensor(indices, v(50000), [1000, 1000]), v(1000, 64));
      },
    ),
    row("sparse_to_dense", "tf.sparse_to_dense(tf.sort(iv(100000,0,1000000)),[1000000],v(100000),validate_indices=False)", ({ v, iv }) =>
      tf.sparseToDense(tf.sort(iv(100_000, 0, 1_000_000)), [1_000_000], v(100_000), { validateIndices: false }),
    ),
    row(
      "embedding_lookup_sparse",
      'tf.nn.embedding_lookup_sparse(v(10000,64),tf.SparseTensor(tf.cast(tf.stack([tf.sort(iv(20000,0,1000)),iv(20000,0,50)],1),tf.int64),iv(20000,0,10000),[1000,50]),None,combiner="mean")',
      ({ v, iv }) => {
        const indices = tf.cast(tf.stack([tf.sort(iv(20000, 0, 1000)), iv(20000, 0, 50)], 1), "int64");
        const ids = new tf.SparseTensor(indices, iv(20000, 0, 10000), [1000, 50]);
        return tf.nn.embeddingLookupSparse(v(10000, 64), ids, null, { combiner: "mean" });
      },
    ),
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
    row("strings.split", "tf.strings.split(sv(10000)).values", ({ sv }) => (tf.strings.split(sv(10000)) as tf.SparseTensor).values),
    row(
      "strings.split, fed to a table",
      "table().lookup(tf.strings.split(sv(10000)).values)",
      ({ sv }) => vocabulary().lookup((tf.strings.split(sv(10000)) as tf.SparseTensor).values) as tf.Tensor,
    ),
    row(
      "lookup of texts",
      "table().lookup(tf.as_string(iv(100000,0,1000)))",
      ({ iv }) => vocabulary().lookup(tf.asString(iv(100_000, 0, 1000))) as tf.Tensor,
    ),
    row("as_string", "tf.strings.join([tf.as_string(iv(100000,0,1000))])", ({ iv }) => tf.stringJoin([tf.asString(iv(100_000, 0, 1000))])),
    row("as_string of floats", "tf.strings.join([tf.as_string(v(20000))])", ({ v }) => tf.stringJoin([tf.asString(v(20000))])),
    row("string_to_number", "tf.string_to_number(tf.as_string(iv(100000,0,1000)))", ({ iv }) =>
      tf.stringToNumber(tf.asString(iv(100_000, 0, 1000))),
    ),
    row("hash buckets, long texts", "tf.string_to_hash_bucket_fast(sv(20000),1000)", ({ sv }) =>
      tf.stringToHashBucketFast(sv(20000), 1000),
    ),
    row("hash buckets, strong", "tf.string_to_hash_bucket_strong(sv(20000),1000,[1,2])", ({ sv }) =>
      tf.stringToHashBucketStrong(sv(20000), 1000, [1, 2]),
    ),
    row("substr", "tf.strings.substr(sv(20000),4,10)", ({ sv }) =>
      tf.strings.substr(sv(20000), tf.constant(4, "int32"), tf.constant(10, "int32")),
    ),
    row("substr of characters", 'tf.strings.substr(sv(20000),4,10,unit="UTF8_CHAR")', ({ sv }) =>
      tf.strings.substr(sv(20000), tf.constant(4, "int32"), tf.constant(10, "int32"), { unit: "UTF8_CHAR" }),
    ),
    row("strings.length", 'tf.strings.length(sv(20000),unit="UTF8_CHAR")', ({ sv }) => tf.strings.length(sv(20000), { unit: "UTF8_CHAR" })),
    row("strings.lower", "tf.strings.lower(sv(20000))", ({ sv }) => tf.strings.lower(sv(20000))),
    row("strings.strip", "tf.strings.strip(sv(20000))", ({ sv }) => tf.strings.strip(sv(20000))),
    row("strings.join", 'tf.strings.join([sv(20000),sv(20000)]," ")', ({ sv }) =>
      tf.stringJoin([sv(20000), sv(20000)], { separator: " " }),
    ),
    row("reduce_join", 'tf.reduce_join(tf.reshape(sv(20000),[1000,20]),1,separator=" ")', ({ sv }) =>
      tf.reduceJoin(tf.reshape(sv(20000), [1000, 20]), 1, { separator: " " }),
    ),
    row("regex_replace", 'tf.regex_replace(sv(20000),"[0-9]+","#")', ({ sv }) => tf.regexReplace(sv(20000), "[0-9]+", "#")),
    row("regex_full_match", 'tf.strings.regex_full_match(sv(20000),".*fox.*7.*")', ({ sv }) =>
      tf.strings.regexFullMatch(sv(20000), ".*fox.*7.*"),
    ),
    row("equality of texts", 'tf.equal(sv(20000),"the quick")', ({ sv }) => tf.equal(sv(20000), "the quick")),
    row("gather of texts", "tf.gather(sv(20000),iv(20000,0,20000))", ({ sv, iv }) => tf.gather(sv(20000), iv(20000, 0, 20000))),
    row(
      "decode_csv",
      'tf.decode_csv(tf.strings.join([tf.as_string(iv(20000,0,1000)),tf.as_string(iv(20000,0,1000)),"0.5","word"],","),[[0],[0],[0.],[""]])[2]',
      ({ iv }) =>
        tf.decodeCsv(tf.stringJoin([tf.asString(iv(20000, 0, 1000)), tf.asString(iv(20000, 0, 1000)), "0.5", "word"], { separator: "," }), [
          tf.constant([0], "int32"),
          tf.constant([0], "int32"),
          tf.constant([0]),
          tf.constant([""]),
        ])[2],
    ),
    row("decode_raw", "tf.decode_raw(tf.tile(tf.strings.substr(sv(1),[0],[20]),[20000]),tf.uint8)", ({ sv }) =>
      tf.decodeRaw(tf.tile(tf.strings.substr(sv(1), tf.constant([0], "int32"), tf.constant([20], "int32")), [20000]), "uint8"),
    ),
    row(
      "unicode_decode",
      'tf.strings.unicode_decode(sv(5000),"UTF-8").flat_values',
      ({ sv }) => (tf.strings.unicodeDecode(sv(5000), "UTF-8") as tf.RaggedTensor).flatValues,
    ),
    row(
      "parse_example, dense",
      'tf.parse_example(examples(1000),{"x":tf.FixedLenFeature([20],tf.float32),"y":tf.FixedLenFeature([],tf.int64),"z":tf.FixedLenFeature([],tf.string)})["x"]',
      ({ examples }) =>
        (
          tf.parseExample(examples(1000), {
            x: new tf.FixedLenFeature([20], "float32"),
            y: new tf.FixedLenFeature([], "int64"),
            z: new tf.FixedLenFeature([], "string"),
          }) as Record<string, tf.Tensor>
        ).x,
    ),
    row(
      "parse_example, sparse",
      'tf.parse_example(examples(1000),{"x":tf.VarLenFeature(tf.float32),"y":tf.VarLenFeature(tf.int64)})["x"].values',
      ({ examples }) =>
        (
          tf.parseExample(examples(1000), { x: new tf.VarLenFeature("float32"), y: new tf.VarLenFeature("int64") }) as Record<
            string,
            tf.SparseTensor
          >
        ).x.values,
    ),
    row("PNG there and back", "tf.image.decode_png(tf.image.encode_png(tf.cast(tf.abs(v(224,224,3))*100.,tf.uint8)))", ({ v }) =>
      tf.image.decodePng(tf.image.encodePng(tf.cast(tf.multiply(tf.abs(v(224, 224, 3)), 100), "uint8"))),
    ),
    row("encode_base64", "tf.decode_base64(tf.encode_base64(sv(20000)))", ({ sv }) => tf.decodeBase64(tf.encodeBase64(sv(20000)))),
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

const words = ["the", "quick", "brown", "fox", "jumps"];

function example(i: number): Uint8Array {
  const feature = new Map([
    ["x", { floatList: { value: Array.from({ length: 20 }, (_, k) => (i + k) / 7) } }],
    ["y", { int64List: { value: [BigInt(i)] } }],
    ["z", { bytesList: { value: [new TextEncoder().encode(words[i % 5])] } }],
  ]);
  return messageToBytes("Example", { features: { feature } });
}

/** Numbers that are the same every time: sums of three uniform ones, near enough to normal. */
export function makeOf(): Make {
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
    sv: length =>
      variable(
        tf.NDArray.from(
          Array.from({ length }, (_, i) => Array.from({ length: 5 }, (_, k) => `${words[k]} ${(i * (k + 3)) % 1000}`).join(" ")),
        ),
      ),
    examples: length =>
      variable(
        tf.NDArray.from(
          Array.from({ length }, (_, i) => example(i)),
          "string",
        ),
      ),
  };
}

async function startOurs({ build }: Row, threads: number): Promise<{ step: () => unknown; close: () => unknown }> {
  const graph = new tf.Graph();
  const { fetch, initialize } = graph.asDefault(() => ({
    fetch: build(makeOf()),
    initialize: tf.group(tf.globalVariablesInitializer(), tf.tablesInitializer()),
  }));
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

/** Times the operations whose names contain one of the texts (separated by "|"); `against` is tf or nothing. */
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
    for (const each of list.filter(({ name }) => text.split("|").some(part => name.includes(part)))) {
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
