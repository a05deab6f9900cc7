// Recorded kernels → the bytes of one WebAssembly module: types, imports, constants, exports, code, data. Bodies are written by body.ts.

import { InternalError } from "../../base/errors.ts";
import type { FunctionImport, KernelModule, MemoryImport, ValueType, VectorName } from "../../kernels/language/language.ts";
import { laneTable } from "../../kernels/language/language.ts";
import { BodyPrinter, type Indices } from "./body.ts";
import { ByteWriter, op, preamble, section, sections, valueTypes } from "./encoder.ts";
import { wasmTypeOf } from "./slots.ts";

/** The namespaces imports come from: `{ env: { memory }, global: { … }, host: { … } }`. */
export const importNamespaces = { memory: "env", globals: "global", functions: "host" } as const;

const [immutable, mutable] = [0, 1];
const externalKinds = { function: 0, memory: 2, global: 3 } as const;

/** Prints a module that verifyModule has accepted. @throws InternalError if it was recorded for vectors other than 128 bits. */
export function printWasm(module: KernelModule): Uint8Array<ArrayBuffer> {
  const { imports, functions } = module;
  const types = new Types();
  const signatures = [...imports, ...functions].map(({ params, results }) => types.index(params, results));
  const { bodies, constants, indices } = printBodies(module);

  const out = new ByteWriter(bodies.length + 4096);
  out.bytes(preamble);
  section(out, sections.type, content => types.write(content));
  section(out, sections.import, content => writeImports(content, module, signatures));
  section(out, sections.function, content => writeList(content, signatures.slice(imports.length), index => content.u32(index)));
  section(out, sections.global, content =>
    writeList(content, [...module.variables.map(() => null), ...constants.values], bytes => {
      content.bytes(bytes ? [valueTypes.v128, immutable] : [valueTypes.i32, mutable]);
      content.instruction(bytes ? op["v128.const"] : op["i32.const"]);
      content.bytes(bytes ?? [0]);
      content.instruction(op.end);
    }),
  );
  section(out, sections.export, content =>
    writeList(
      content,
      functions.flatMap((fn, i) => (fn.exported ? [{ name: fn.name, index: imports.length + i }] : [])),
      ({ name, index }) => {
        content.name(name);
        content.byte(externalKinds.function);
        content.u32(index);
      },
    ),
  );
  section(out, sections.code, content => {
    content.u32(functions.length);
    content.bytes(bodies);
  });
  section(out, sections.data, content => writeData(content, module, indices));
  section(out, sections.custom, content => writeNames(content, [...imports, ...functions]));
  return out.finish().slice();
}

function printBodies({ target, imports, functions, globals, variables }: KernelModule) {
  const numbers = [...globals, ...variables];
  if (target.vectorBytes !== 16) throw new InternalError(`WebAssembly has vectors of 16 bytes, ${target.name} of ${target.vectorBytes}.`);
  const constants = new VectorConstants(numbers.length, target.vectorBytes);
  const indices: Indices = {
    target,
    ...byName(imports, functions, numbers),
    vectorConstant: (lane, values) => constants.index(lane, values),
    constantBytes: global => constants.bytesOf(global),
  };
  const bodies = new ByteWriter(1 << 16);
  const room = { head: new ByteWriter(), code: new ByteWriter(1 << 13) };
  const sizes = functions.map(fn => new BodyPrinter(fn, indices, room).print(bodies));
  return { bodies: bodies.finish(), sizes, constants, indices };
}

/** What a module consists of, with the bytes of every function: the contents page of what `printWasm` gives. */
export function describeWasm(module: KernelModule): string {
  const { memory, globals, imports, functions } = module;
  const { sizes, constants } = printBodies(module);
  const list = (types: readonly ValueType[]): string => `(${types.map(wasmTypeOf).join(", ")})`;
  const signature = ({ params, results }: FunctionImport): string => `${list(params)}${results.length > 0 ? ` → ${list(results)}` : ""}`;
  return [
    `module of ${printWasm(module).length} bytes for ${module.target.name}, code ${sizes.reduce((sum, size) => sum + size, 0)} bytes`,
    `import memory of ${memory.minPages} pages or more${memory.shared ? ", shared" : ""}`,
    ...globals.map(name => `import number ${name}`),
    ...imports.map(fn => `import ${fn.name}${signature(fn)}`),
    `${constants.values.length} vector constants`,
    ...functions.map((fn, i) => `${fn.exported ? "export " : ""}func ${fn.name}${signature(fn)} ${sizes[i]} bytes`),
    "",
  ].join("\n");
}

function byName(imports: readonly FunctionImport[], functions: readonly FunctionImport[], globals: readonly string[]) {
  const functionIndices = new Map([...imports, ...functions].map(({ name }, index) => [name, index]));
  const globalIndices = new Map(globals.map((name, index) => [name, index]));
  const find = (map: ReadonlyMap<string, number>, name: string): number => {
    const index = map.get(name);
    if (index === undefined) throw new InternalError(`The module has nothing called ${name}.`);
    return index;
  };
  return { function: (name: string) => find(functionIndices, name), global: (name: string) => find(globalIndices, name) };
}

function writeList<T>(content: ByteWriter, items: readonly T[], write: (item: T) => void): void {
  content.u32(items.length);
  for (const item of items) write(item);
}

/** Vector constants, each once: immutable globals behind all numbers. */
class VectorConstants {
  readonly values: Uint8Array[] = [];
  readonly #firstIndex: number;
  readonly #vectorBytes: number;
  readonly #indices = new Map<string, number | null>();

  constructor(firstIndex: number, vectorBytes: number) {
    this.#firstIndex = firstIndex;
    this.#vectorBytes = vectorBytes;
  }

  index(lane: VectorName, values: readonly (number | bigint)[]): number | null {
    const key = `${lane} ${values.map(value => (Object.is(value, -0) ? "-0" : value)).join()}`;
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    const bytes = vectorConstantBytes(lane, values, this.#vectorBytes);
    const index = bytes.every(byte => byte === 0) ? null : this.#firstIndex + this.values.push(bytes) - 1;
    this.#indices.set(key, index);
    return index;
  }

  bytesOf(index: number): Uint8Array {
    return this.values[index - this.#firstIndex];
  }
}

/** Function types, each once. */
class Types {
  readonly #indices = new Map<string, number>();
  readonly #types: { params: readonly ValueType[]; results: readonly ValueType[] }[] = [];

  index(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params.join()}>${results.join()}`;
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    this.#indices.set(key, this.#types.length);
    return this.#types.push({ params, results }) - 1;
  }

  write(content: ByteWriter): void {
    const bytes = (types: readonly ValueType[]) => types.map(type => valueTypes[wasmTypeOf(type)]);
    writeList(content, this.#types, ({ params, results }) => {
      content.byte(0x60);
      content.sized(bytes(params));
      content.sized(bytes(results));
    });
  }
}

function writeImports(content: ByteWriter, { memory, globals, imports }: KernelModule, signatures: readonly number[]): void {
  content.u32(1 + globals.length + imports.length);
  content.name(importNamespaces.memory);
  content.name("memory");
  content.byte(externalKinds.memory);
  writeLimits(content, memory);
  for (const name of globals) {
    content.name(importNamespaces.globals);
    content.name(name);
    content.bytes([externalKinds.global, valueTypes.i32, immutable]);
  }
  imports.forEach(({ name }, i) => {
    content.name(importNamespaces.functions);
    content.name(name);
    content.byte(externalKinds.function);
    content.u32(signatures[i]);
  });
}

function writeLimits(content: ByteWriter, { minPages, maxPages, shared = false }: MemoryImport): void {
  content.byte((maxPages === undefined ? 0 : 1) + (shared ? 2 : 0));
  content.u32(minPages);
  if (maxPages !== undefined) content.u32(maxPages);
}

function writeData(content: ByteWriter, { data }: KernelModule, indices: Indices): void {
  writeList(content, data, ({ global, bytes }) => {
    content.byte(0);
    content.indexed(op["global.get"], indices.global(global));
    content.instruction(op.end);
    content.sized(bytes);
  });
}

/** Names of functions, for stack traces and profiles. */
function writeNames(content: ByteWriter, functions: readonly FunctionImport[]): void {
  content.name("name");
  const names = new ByteWriter();
  names.u32(functions.length);
  functions.forEach(({ name }, index) => {
    names.u32(index);
    names.name(name);
  });
  content.byte(1);
  content.sized(names.finish());
}

/** The bytes of a vector constant: one value for all lanes, or a value for each. */
function vectorConstantBytes(lane: VectorName, values: readonly (number | bigint)[], vectorBytes: number): Uint8Array {
  const { bytes } = laneTable[lane];
  const view = new DataView(new ArrayBuffer(vectorBytes));
  for (let i = 0; i < vectorBytes / bytes; i++) {
    const value = values[i % values.length];
    const at = i * bytes;
    if (lane === "f32x") view.setFloat32(at, Number(value), true);
    else if (lane === "f64x") view.setFloat64(at, Number(value), true);
    else if (lane === "i64x") view.setBigInt64(at, BigInt(value), true);
    else if (lane === "i32x") view.setInt32(at, Number(value), true);
    else if (lane === "i16x") view.setInt16(at, Number(value), true);
    else view.setInt8(at, Number(value));
  }
  return new Uint8Array(view.buffer);
}
