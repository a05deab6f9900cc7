// Every op by TensorFlow's name, for importing GraphDefs: found by walking the families' exports, so that registration is no second edit.
// A new family gets its line here; a program that imports no GraphDef does not load this file.

import * as conversion from "../graph/conversion.ts";
import type { OpDefinition } from "../graph/op-definition.ts";
import * as accumulator from "./state/accumulator.ts";
import * as array from "./array/array.ts";
import * as arrayGather from "./array/gather.ts";
import * as arrayInplace from "./array/inplace.ts";
import * as arrayMatrix from "./array/matrix.ts";
import * as arrayPadding from "./array/padding.ts";
import * as arrayPartition from "./array/partition.ts";
import * as arrayRanges from "./array/ranges.ts";
import * as arrayRearranging from "./array/rearranging.ts";
import * as arraySelection from "./array/selection.ts";
import * as arraySlicing from "./array/slicing.ts";
import * as audio from "./signal/audio.ts";
import * as barrier from "./data/barrier.ts";
import * as nnSampledLoss from "./nn/sampled-loss.ts";
import * as sparseMap from "./sparse/map.ts";
import * as staging from "./data/staging.ts";
import * as stateTemporary from "./state/state-temporary.ts";
import * as tensorMap from "./flow/tensor-map.ts";
import * as bitwise from "./math/bitwise.ts";
import * as bytes from "./string/bytes.ts";
import * as checkpoint from "./state/checkpoint.ts";
import * as checkpointRemapping from "./state/checkpoint-remapping.ts";
import * as controlFlow from "./flow/control-flow.ts";
import * as dataset from "./data/dataset.ts";
import * as datasetSources from "./data/dataset-sources.ts";
import * as datasetExperimental from "./data/dataset-experimental.ts";
import * as datasetFiles from "./data/dataset-files.ts";
import * as datasetRarer from "./data/dataset-rarer.ts";
import * as dataFormat from "./nn/data-format.ts";
import * as example from "./data/example.ts";
import * as fingerprint from "./string/fingerprint.ts";
import * as functionalCalls from "./flow/functional-calls.ts";
import * as hostFunction from "./flow/host-function.ts";
import * as image from "./image/image.ts";
import * as imageBoxes from "./image/boxes.ts";
import * as imageCodecs from "./image/codecs.ts";
import * as imageDrawing from "./image/drawing.ts";
import * as imageEncoders from "./image/encoders.ts";
import * as imageProjective from "./image/projective.ts";
import * as imageResize from "./image/resize.ts";
import * as imageWarping from "./image/warping.ts";
import * as iterator from "./data/iterator.ts";
import * as linalg from "./linalg/linalg.ts";
import * as linalgEigen from "./linalg/eigen.ts";
import * as linalgFunctions from "./linalg/functions.ts";
import * as lookup from "./data/lookup.ts";
import * as lookupFiles from "./data/lookup-files.ts";
import * as math from "./math/math.ts";
import * as mathComparison from "./math/comparison.ts";
import * as mathCast from "./math/cast.ts";
import * as mathAddN from "./math/add-n.ts";
import * as mathCountSparse from "./math/count-sparse.ts";
import * as mathCounting from "./math/counting.ts";
import * as mathEinsum from "./math/einsum.ts";
import * as mathFft from "./signal/fft.ts";
import * as mathFunctions from "./math/functions.ts";
import * as mathIntegrals from "./math/integrals.ts";
import * as mathMatrix from "./math/matrix.ts";
import * as mathReduction from "./math/reduction.ts";
import * as mathSegment from "./math/segment.ts";
import * as mathSobol from "./math/sobol.ts";
import * as mathSpecial from "./math/special.ts";
import * as neighbors from "./array/neighbors.ts";
import * as nn from "./nn/nn.ts";
import * as nnBlockCells from "./nn/block-cells.ts";
import * as nnConvolution from "./nn/convolution.ts";
import * as nnConvolutionGeneral from "./nn/convolution-general.ts";
import * as nnCtc from "./nn/ctc.ts";
import * as nnDualAscent from "./nn/dual-ascent.ts";
import * as nnEmbedding from "./nn/embedding.ts";
import * as nnFractional from "./nn/fractional.ts";
import * as nnFused from "./nn/fused.ts";
import * as nnLoss from "./nn/loss.ts";
import * as nnMorphology from "./nn/morphology.ts";
import * as nnNormalization from "./nn/normalization.ts";
import * as nnPooling from "./nn/pooling.ts";
import * as nnSampling from "./nn/sampling.ts";
import * as printing from "./summary/printing.ts";
import * as quantization from "./quantized/quantization.ts";
import * as quantizedArithmetic from "./quantized/arithmetic.ts";
import * as quantizedFused from "./quantized/fused.ts";
import * as quantizedNormalization from "./quantized/normalization.ts";
import * as quantizedTensors from "./quantized/tensors.ts";
import * as quantizedUniform from "./quantized/uniform.ts";
import * as queue from "./data/queue.ts";
import * as ragged from "./sparse/ragged.ts";
import * as random from "./random/random.ts";
import * as randomDistributions from "./random/distributions.ts";
import * as sequenceExample from "./data/sequence-example.ts";
import * as reader from "./data/reader.ts";
import * as recordInput from "./data/record-input.ts";
import * as sets from "./sparse/sets.ts";
import * as selection from "./array/nth-element.ts";
import * as sparseSerialization from "./sparse/serialization.ts";
import * as sparseCsr from "./sparse/csr.ts";
import * as sparseCross from "./sparse/cross.ts";
import * as sparseDense from "./sparse/dense.ts";
import * as sparse from "./sparse/sparse.ts";
import * as sparseStructure from "./sparse/structure.ts";
import * as randomStateful from "./random/stateful.ts";
import * as randomStateless from "./random/stateless.ts";
import * as state from "./state/state.ts";
import * as strings from "./string/string.ts";
import * as stringParsing from "./string/parsing.ts";
import * as stringRegex from "./string/regex.ts";
import * as stringUnicode from "./string/unicode.ts";
import * as olderNames from "./older-names.ts";
import * as summary from "./summary/summary.ts";
import * as summaryWriter from "./summary/summary-writer.ts";
import * as tensorArray from "./flow/tensor-array.ts";
import * as tensorArrayOlder from "./flow/tensor-array-older.ts";
import * as tensorList from "./flow/tensor-list.ts";
import * as training from "./state/training.ts";
import * as debugging from "./summary/debugging.ts";
import * as partitions from "./flow/partitions.ts";
import * as compositeVariant from "./flow/composite-variant.ts";
import * as collective from "./flow/collective.ts";
import * as nnWord2vec from "./nn/word2vec.ts";
import * as batching from "./data/batching.ts";
import * as stringProtos from "./string/protos.ts";
import * as mutex from "./flow/mutex.ts";
import * as xla from "./xla/xla.ts";
import * as xlaFunctions from "./xla/xla-functions.ts";

const families = [
  conversion,
  accumulator,
  array,
  arrayGather,
  arrayInplace,
  arrayMatrix,
  arrayPadding,
  arrayPartition,
  arrayRanges,
  arrayRearranging,
  arraySelection,
  arraySlicing,
  audio,
  barrier,
  nnSampledLoss,
  sparseMap,
  staging,
  stateTemporary,
  tensorMap,
  bitwise,
  bytes,
  checkpoint,
  checkpointRemapping,
  controlFlow,
  dataset,
  datasetSources,
  datasetExperimental,
  datasetFiles,
  datasetRarer,
  dataFormat,
  example,
  fingerprint,
  functionalCalls,
  hostFunction,
  image,
  imageBoxes,
  imageCodecs,
  imageDrawing,
  imageEncoders,
  imageProjective,
  imageResize,
  imageWarping,
  iterator,
  linalg,
  linalgEigen,
  linalgFunctions,
  lookup,
  lookupFiles,
  math,
  mathComparison,
  mathCast,
  mathAddN,
  mathCounting,
  mathCountSparse,
  mathEinsum,
  mathFft,
  mathFunctions,
  mathIntegrals,
  mathMatrix,
  mathReduction,
  mathSegment,
  mathSobol,
  mathSpecial,
  neighbors,
  nn,
  nnBlockCells,
  nnConvolution,
  nnConvolutionGeneral,
  nnCtc,
  nnDualAscent,
  nnEmbedding,
  nnFractional,
  nnFused,
  nnLoss,
  nnMorphology,
  nnNormalization,
  nnPooling,
  nnSampling,
  printing,
  quantization,
  quantizedArithmetic,
  quantizedFused,
  quantizedNormalization,
  quantizedTensors,
  quantizedUniform,
  queue,
  ragged,
  random,
  randomDistributions,
  randomStateful,
  randomStateless,
  sequenceExample,
  reader,
  recordInput,
  sets,
  sparse,
  sparseDense,
  sparseCross,
  sparseCsr,
  sparseSerialization,
  selection,
  sparseStructure,
  state,
  stringUnicode,
  strings,
  stringRegex,
  stringParsing,
  summary,
  summaryWriter,
  olderNames,
  tensorArray,
  tensorArrayOlder,
  tensorList,
  debugging,
  partitions,
  compositeVariant,
  collective,
  nnWord2vec,
  batching,
  stringProtos,
  mutex,
  xla,
  xlaFunctions,
  training,
];

let byType: ReadonlyMap<string, OpDefinition> | undefined;

const isOp = (value: unknown): value is OpDefinition =>
  typeof value === "function" && "type" in value && typeof value.type === "string" && "shape" in value;

function definitions(): ReadonlyMap<string, OpDefinition> {
  byType ??= new Map(
    families.flatMap(family =>
      Object.values(family as Record<string, unknown>)
        .filter(isOp)
        .map(definition => [definition.type, definition] as const),
    ),
  );
  return byType;
}

/** The definition of an op, or undefined if there is none of this name. */
export const findOp = (type: string): OpDefinition | undefined => definitions().get(type);

/** All ops, in no particular order. */
export const allOps = (): readonly OpDefinition[] => [...definitions().values()];
