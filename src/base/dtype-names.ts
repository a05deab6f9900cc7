// Element types as constants: `tf.float32 === "float32"`, and of that type also in an object of options (`as const`). TensorFlow's names, and its short
// ones; and finding a type by what programs call it.

import { type DType, dtypeOfNumber, isDType, noDtype } from "./dtype.ts";

export const float16 = "float16" as const;
export const half = "float16" as const;
export const bfloat16 = "bfloat16" as const;
export const float32 = "float32" as const;
export const float64 = "float64" as const;
export const double = "float64" as const;
export const int8 = "int8" as const;
export const int16 = "int16" as const;
export const int32 = "int32" as const;
export const int64 = "int64" as const;
export const uint8 = "uint8" as const;
export const uint16 = "uint16" as const;
export const uint32 = "uint32" as const;
export const uint64 = "uint64" as const;
export const bool = "bool" as const;
export const string = "string" as const;
export const complex64 = "complex64" as const;
export const complex128 = "complex128" as const;
export const resource = "resource" as const;
export const variant = "variant" as const;
export const qint8 = "qint8" as const;
export const quint8 = "quint8" as const;
export const qint16 = "qint16" as const;
export const quint16 = "quint16" as const;
export const qint32 = "qint32" as const;
/** TF: tf.QUANTIZED_DTYPES. */
export const QUANTIZED_DTYPES: ReadonlySet<DType> = new Set<DType>(["qint8", "quint8", "qint16", "quint16", "qint32"]);

const shortNames: Readonly<Record<string, DType>> = {
  half: "float16",
  float: "float32",
  double: "float64",
  str: "string",
  object: "string",
};

/** The type of a name ("float32", "half", "float32_ref") or a number of DataType. TF: tf.as_dtype. @throws TypeError for anything else. */
export function asDtype(typeValue: unknown): DType {
  const found =
    typeof typeValue === "number"
      ? dtypeOfNumber(typeValue)
      : typeof typeValue === "string"
        ? (shortNames[typeValue] ?? typeValue.replace(/_ref$/, ""))
        : undefined;
  if (isDType(found)) return found;
  throw noDtype(typeValue);
}
