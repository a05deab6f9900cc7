// Features of tf.Example messages that are ragged tensors: the values of one feature, cut into rows by others. TF: io.RaggedFeature.

import type { DType } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { Tensor } from "../../graph/operation.ts";
import { constant, reshape, shape as shapeOf } from "../../ops/array/array.ts";
import { repeat } from "../../ops/array/ranges.ts";
import { concat, getItem } from "../../ops/array/slicing.ts";
import { assertEqual } from "../../ops/flow/check.ts";
import { add as addNamed, maximum } from "../../ops/math/math.ts";
import { cast } from "../../ops/math/cast.ts";
import { cumsum } from "../../ops/math/reduction.ts";
import { add, floordiv } from "../../ops/operators.ts";
import { binary, type Ragged, unary } from "./ragged-elementwise.ts";
import { raggedReductions } from "./ragged-reduction.ts";
import { raggedGetItem } from "./ragged-selection.ts";
import { RaggedTensor } from "./ragged-tensor.ts";
import type { SplitsType } from "./row-partition.ts";

type Kind = "RowSplits" | "RowLengths" | "RowStarts" | "RowLimits" | "ValueRowIds";
interface Uniform {
  readonly kind: "UniformRowLength";
  readonly length: number;
}
/** How values are cut into rows: by another feature, or into rows of one length. */
type Partition = { readonly kind: Kind; readonly key: string } | Uniform;

const byFeature =
  (kind: Kind) =>
  (key: string): Partition => ({ kind, key });

interface Options {
  /** The feature that holds the values; the one whose name it is by default. */
  readonly valueKey?: string | null;
  /** From the outermost dimension to the innermost. */
  readonly partitions?: readonly Partition[];
  readonly rowSplitsDtype?: SplitsType;
  readonly validate?: boolean;
}

/** Values of a feature in rows, nested as `partitions` say: a ragged tensor, in a batch of one dimension more. TF: tf.io.RaggedFeature.
 *  @throws ValueError for types that features have not. */
export class RaggedFeature {
  static readonly RowSplits: (key: string) => Partition = byFeature("RowSplits");
  static readonly RowLengths: (key: string) => Partition = byFeature("RowLengths");
  static readonly RowStarts: (key: string) => Partition = byFeature("RowStarts");
  static readonly RowLimits: (key: string) => Partition = byFeature("RowLimits");
  static readonly ValueRowIds: (key: string) => Partition = byFeature("ValueRowIds");
  static readonly UniformRowLength = (length: number): Partition => ({ kind: "UniformRowLength", length });

  readonly dtype: DType;
  readonly valueKey: string | null;
  readonly partitions: readonly Partition[];
  readonly rowSplitsDtype: SplitsType;
  readonly validate: boolean;

  constructor(dtype: DType, { valueKey = null, partitions = [], rowSplitsDtype = "int32", validate = false }: Options = {}) {
    if (valueKey !== null && typeof valueKey !== "string")
      throw new ValueError(`Argument \`value_key\` must be a string; got ${String(valueKey)}`);
    if (valueKey === "") throw new ValueError("Argument `value_key` must not be empty");
    if (!["int64", "float32", "string"].includes(dtype))
      throw new ValueError(`Argument \`dtype\` must be int64, float32, or bytes; got tf.${dtype}`);
    if (rowSplitsDtype !== "int32" && rowSplitsDtype !== "int64")
      throw new ValueError(`Argument \`row_splits_dtype\` must be int32 or int64; gottf.${String(rowSplitsDtype)}`);
    if (!Array.isArray(partitions))
      throw new TypeError(`Argument \`partitions\` must be a list or tuple. Received partitions=${partitions}.`);
    for (const partition of partitions)
      if (typeof partition !== "object" || !("kind" in partition))
        throw new TypeError(`Argument \`partitions\` must be a list of partition objects; got: ${String(partition)}`);
    [this.dtype, this.valueKey, this.partitions] = [dtype, valueKey, partitions];
    [this.rowSplitsDtype, this.validate] = [rowSplitsDtype, validate];
  }

  /** The features that have to be read for it. */
  raggedKeys(key: string): { readonly key: string; readonly dtype: DType; readonly splits: SplitsType }[] {
    const splits = this.rowSplitsDtype;
    const others = this.partitions.flatMap(partition =>
      partition.kind === "UniformRowLength" ? [] : [{ key: partition.key, dtype: "int64" as const, splits }],
    );
    return [{ key: this.valueKey ?? key, dtype: this.dtype, splits }, ...others];
  }

  /** What a node that parses gives for a feature, as rows. */
  rows(values: Ragged, splits: Tensor): RaggedTensor {
    return RaggedTensor.fromRowSplits(values, splits, { validate: false });
  }

  /** The ragged tensor of parts: those of one example are tensors, those of a batch have rows already. */
  assembled(key: string, parts: ReadonlyMap<string, Ragged>): Ragged {
    const part = (name: string): Ragged => parts.get(name) as Ragged;
    const values = part(this.valueKey ?? key);
    const inwards = this.partitions.toReversed();
    if (values instanceof Tensor) return inwards.reduce((rows, partition) => this.cut(rows, partition, part), values as Ragged);
    if (values.raggedRank === 1) return inwards.reduce((rows, partition) => this.cutEach(rows, partition, part, key), values);
    // Examples of sequences in a batch: both dimensions are one for as long as rows are cut.
    const outer = values.rowSplits;
    const cut = inwards.reduce((rows, partition) => this.cutEach(rows, partition, part, key, outer), values.values as RaggedTensor);
    return RaggedTensor.fromRowSplits(cut, outer, { validate: this.validate });
  }

  private cut(values: Ragged, partition: Partition, part: (key: string) => Ragged): Ragged {
    const { validate, rowSplitsDtype } = this;
    if (partition.kind === "UniformRowLength") {
      if (values instanceof Tensor) return inRowsOf(values, partition.length);
      return RaggedTensor.fromUniformRowLength(values, whole(partition.length, rowSplitsDtype), { validate });
    }
    const given = cast(part(partition.key) as Tensor, rowSplitsDtype);
    return factories[partition.kind](values, given, { validate });
  }

  /** Of every row of a batch the rows that its own part says. */
  private cutEach(rt: RaggedTensor, partition: Partition, part: (key: string) => Ragged, key: string, outer?: Tensor): RaggedTensor {
    const { validate } = this;
    const { dtype } = rt.partition;
    if (partition.kind === "UniformRowLength") {
      const { length } = partition;
      if (rt.values instanceof Tensor)
        return RaggedTensor.fromRowSplits(inRowsOf(rt.values, length), floordiv(rt.rowSplits, whole(length, dtype)), { validate });
      const size = whole(length, dtype);
      const rows = RaggedTensor.fromUniformRowLength(rt.values, size, { validate });
      return RaggedTensor.fromRowSplits(rows, floordiv(rt.rowSplits, size), { validate });
    }
    let given = part(partition.key) as RaggedTensor;
    if (given.dtype !== dtype) given = unary(cast, given, dtype);
    const checks =
      outer === undefined || !validate
        ? []
        : [assertEqual(outer, given.rowSplits, { message: `Feature ${key}: values and partitions are not aligned` })];
    if (outer !== undefined) given = given.values as RaggedTensor;
    return rt.rowSplits.graph.controlDependencies(checks, () => this.cutBy(rt, partition.kind, given));
  }

  private cutBy(rt: RaggedTensor, kind: Kind, given: RaggedTensor): RaggedTensor {
    const { validate } = this;
    const shifted = (part: RaggedTensor, by: Tensor): Tensor => add(part.values as Tensor, repeat(by, part.rowLengths()));
    switch (kind) {
      case "RowSplits":
      case "RowLimits": {
        const limits = kind === "RowSplits" ? (raggedGetItem(given, [], [1, null]) as RaggedTensor) : given;
        return limits.withValues(RaggedTensor.fromRowLimits(rt.values, shifted(limits, rt.rowStarts()), { validate }));
      }
      case "RowStarts":
        return given.withValues(RaggedTensor.fromRowStarts(rt.values, shifted(given, rt.rowStarts()), { validate }));
      case "RowLengths":
        return given.withValues(RaggedTensor.fromRowLengths(rt.values, given.values as Tensor, { validate }));
      case "ValueRowIds": {
        const most = raggedReductions.max(addNamed, binary(addNamed, given, whole(1, given.dtype)), 1) as Tensor;
        const counts = maximum(most, whole(0, given.dtype));
        const ids = shifted(given, cumsum(counts, { exclusive: true }));
        return RaggedTensor.fromRowLengths(RaggedTensor.fromValueRowids(rt.values, ids, { validate }), counts, { validate });
      }
    }
  }
}

const factories = {
  RowSplits: RaggedTensor.fromRowSplits,
  RowLengths: RaggedTensor.fromRowLengths,
  RowStarts: RaggedTensor.fromRowStarts,
  RowLimits: RaggedTensor.fromRowLimits,
  ValueRowIds: RaggedTensor.fromValueRowids,
};

const whole = (value: number, dtype: DType): Tensor => constant(dtype === "int64" ? BigInt(value) : value, dtype);
const inRowsOf = (values: Tensor, length: number): Tensor =>
  reshape(values, concat([[-1, length], getItem(shapeOf(values), [1, null])], 0));
