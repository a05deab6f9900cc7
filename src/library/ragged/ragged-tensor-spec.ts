// What a ragged tensor is: its type, its shape, how many of its dimensions rows make, and what its rows are counted in. In datasets and loops one variant
// stands for it. TF: tf.RaggedTensorSpec.

import type { DType } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { type Dimension, TensorShape } from "../../base/shape.ts";
import type { Tensor } from "../../graph/operation.ts";
import { inNameScope } from "../../ops/named.ts";
import { RaggedTensorFromVariant, RaggedTensorToVariant } from "../../ops/sparse/ragged.ts";
import { asShape, ComponentSpec, type Flat, type ShapeGiven, shapeText, TensorSpec, variants } from "../../ops/sparse/type-specs.ts";
import { RaggedTensor } from "./ragged-tensor.ts";
import type { SplitsType } from "./row-partition.ts";

interface Options {
  /** Of how many dimensions the flat values are cut into rows; all but the last of `shape` by default. */
  readonly raggedRank?: number | null;
  readonly rowSplitsDtype?: SplitsType;
}

/** TF: tf.RaggedTensorSpec(shape, dtype, ragged_rank, row_splits_dtype). @throws ValueError without a rank, and for a ragged rank that is none. */
export class RaggedTensorSpec extends ComponentSpec {
  readonly raggedRank: number;
  readonly rowSplitsDtype: SplitsType;

  constructor(shape: ShapeGiven = null, dtype: DType = "float32", { raggedRank = null, rowSplitsDtype = "int64" }: Options = {}) {
    super(dtype, asShape(shape));
    const { rank } = this.shape;
    if (raggedRank === null && rank === null) throw new ValueError("Must specify ragged_rank or a shape with a known rank.");
    this.raggedRank = raggedRank ?? (rank as number) - 1;
    if (!Number.isInteger(this.raggedRank)) throw new TypeError(`Argument \`ragged_rank\` must be an int. Received ${raggedRank}.`);
    if (rank !== null && this.raggedRank >= rank)
      throw new ValueError(`Argument \`ragged_rank\` (${this.raggedRank}) must be less than rank (${rank}).`);
    this.rowSplitsDtype = rowSplitsDtype;
  }
  /** TF: RaggedTensorSpec.from_value. */
  static fromValue(value: RaggedTensor): RaggedTensorSpec {
    return new RaggedTensorSpec(value.shape, value.dtype, { raggedRank: value.raggedRank, rowSplitsDtype: value.partition.dtype });
  }

  protected override get rest(): readonly unknown[] {
    return [this.raggedRank, this.rowSplitsDtype];
  }
  override isCompatibleWith(specOrValue: unknown): boolean {
    // Without rows it is a tensor.
    const isDense = this.raggedRank === 0 && new TensorSpec(this.shape, this.dtype).isCompatibleWith(specOrValue);
    return isDense || super.isCompatibleWith(specOrValue);
  }
  override get flat(): Flat {
    return variants;
  }
  override valueFrom(tensor: Tensor): RaggedTensor | Tensor {
    const { dtype, shape, raggedRank, rowSplitsDtype } = this;
    const result = inNameScope(null, "RaggedFromVariant", [tensor], () => {
      const { outputDenseValues, outputNestedSplits } = RaggedTensorFromVariant({
        encodedRagged: tensor,
        inputRaggedRank: -1,
        // Rows of rows that are numbers have none left; batched again they do.
        outputRaggedRank: Math.max(raggedRank, 0),
        Tvalues: dtype,
        Tsplits: rowSplitsDtype,
      });
      const splits = outputNestedSplits;
      return splits.length === 0 ? outputDenseValues : RaggedTensor.fromNestedRowSplits(outputDenseValues, splits, { validate: false });
    });
    if (result instanceof RaggedTensor) return result.withKnownShape(shape);
    if (shape.dims !== null) result.setShape(shape);
    return result;
  }
  private toVariant(value: unknown, batchedInput: boolean): Tensor {
    const [own, given] = [this.raggedRank, value instanceof RaggedTensor ? value.raggedRank : 0];
    if (value instanceof RaggedTensor) {
      if (own !== given) throw new ValueError(`Ragged rank of value ${given} does not match ragged rank of type ${own}.`);
      const { flatValues: rtDenseValues, nestedRowSplits: rtNestedSplits } = value;
      return inNameScope(null, "RaggedToVariant", [value], () => RaggedTensorToVariant({ rtNestedSplits, rtDenseValues, batchedInput }));
    }
    if (own > 0) throw new ValueError(`Expected a RaggedTensor if ragged rank=${own} but got ${(value as object)?.constructor?.name}.`);
    return RaggedTensorToVariant({ rtNestedSplits: [], rtDenseValues: value as Tensor, batchedInput, Tsplits: this.rowSplitsDtype });
  }
  override tensorOf(value: unknown): Tensor {
    return this.toVariant(value, false);
  }
  override rowsOf(value: unknown): Tensor {
    return this.toVariant(value, true);
  }
  private like(shape: TensorShape, raggedRank: number): RaggedTensorSpec {
    const { dtype, rowSplitsDtype } = this;
    return new RaggedTensorSpec(shape, dtype, { raggedRank, rowSplitsDtype });
  }
  override withShape(shape: TensorShape): RaggedTensorSpec {
    return this.like(shape, this.raggedRank);
  }
  override batched(size: Dimension): RaggedTensorSpec {
    const { dims } = this.shape;
    return this.like(dims === null ? TensorShape.unknown() : new TensorShape([size, ...dims]), this.raggedRank + 1);
  }
  override unbatched(): RaggedTensorSpec {
    const { dims } = this.shape;
    return this.like(new TensorShape(dims && dims.slice(1)), this.raggedRank - 1);
  }
  override get valueClass(): unknown {
    return this;
  }
  override toString(): string {
    const { shape, dtype, raggedRank, rowSplitsDtype } = this;
    return `RaggedTensorSpec(${shapeText(shape)}, tf.${dtype}, ${raggedRank}, tf.${rowSplitsDtype})`;
  }
}
