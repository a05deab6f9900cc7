// What TensorFlow's programs ask of an element type (`dtype.max`, `dtype.is_floating`). A type is its name here, so these are answers about a name.

import { type DType as Name, dtypeBytes, dtypeTable, isComplex, isFloating, isInteger, isUnsigned, limitOf } from "./dtype.ts";
import { asDtype } from "./dtype-names.ts";
import { ValueError } from "./errors.ts";

/** The type of a tensor's elements, by TensorFlow's name. */
export type DType = Name;

class ElementType {
  readonly name: Name;

  /** @throws TypeError for what names no type. */
  constructor(typeValue: unknown) {
    this.name = asDtype(typeValue instanceof ElementType ? typeValue.name : typeValue);
  }

  /** The same type: a reference (`float32_ref`) is a property of a tensor. */
  get baseDtype(): Name {
    return this.name;
  }
  /** The type of the parts of complex numbers. */
  get realDtype(): Name {
    return this.name === "complex64" ? "float32" : this.name === "complex128" ? "float64" : this.name;
  }
  /** The type's name, as NDArrays have it. */
  get asNumpyDtype(): Name {
    return this.name;
  }
  /** Its number in DataType. */
  get asDatatypeEnum(): number {
    return dtypeTable[this.name].number;
  }
  get isBool(): boolean {
    return this.name === "bool";
  }
  get isFloating(): boolean {
    return isFloating(this.name);
  }
  get isInteger(): boolean {
    return isInteger(this.name);
  }
  get isUnsigned(): boolean {
    return isUnsigned(this.name);
  }
  get isComplex(): boolean {
    return isComplex(this.name);
  }
  get isNumeric(): boolean {
    return isFloating(this.name) || isInteger(this.name) || isComplex(this.name) || this.isQuantized;
  }
  get isQuantized(): boolean {
    return this.name.startsWith("q");
  }
  get isNumpyCompatible(): boolean {
    return this.name !== "resource" && this.name !== "variant";
  }
  /** Bytes of one element; 0 where it has no fixed size, 1 of resources and variants. */
  get size(): number {
    return this.isNumpyCompatible ? dtypeBytes(this.name) : 1;
  }
  /** The greatest finite number, a bigint of 64-bit integers. @throws TypeError for types without one. */
  get max(): number | bigint {
    return this.limit(true);
  }
  /** The lowest finite number. @throws TypeError for types without one. */
  get min(): number | bigint {
    return this.limit(false);
  }
  /** From where to where images of this type go. @throws ValueError for types of which that is not said. */
  get limits(): readonly [number, number | bigint | boolean] {
    if (isInteger(this.name)) return [0, this.max];
    if (this.isBool) return [0, true];
    if (/^float(?:16|32|64)$/.test(this.name)) return [0, 1];
    throw new ValueError(`${this} does not have defined limits.`);
  }

  isCompatibleWith(other: unknown): boolean {
    return new ElementType(other).name === this.name;
  }

  private limit(isGreatest: boolean): number | bigint {
    if (isFloating(this.name) || isInteger(this.name)) return limitOf(this.name, isGreatest);
    throw new TypeError(`Cannot find ${isGreatest ? "maximum" : "minimum"} value of ${this} with type ${this}.`);
  }

  valueOf(): string {
    return this.name;
  }

  /** `<dtype: 'float32'>`. */
  toString(): string {
    return `<dtype: '${this.name}'>`;
  }
}

/** What is known of an element type: `new tf.DType("float32").max`. TF: tf.DType. */
export const DType = ElementType;
