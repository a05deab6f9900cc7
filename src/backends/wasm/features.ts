// What the WebAssembly engine at hand understands, asked by validating tiny modules: an instruction an engine does not know makes a
// whole module invalid, so it must be known before anything is printed. No user agent or version is looked at.

import type { Target, WinogradUse } from "../../kernels/target.ts";
import { wasmTarget } from "../../kernels/target.ts";
import { ByteWriter, emptyBlock, op, preamble, section, sections } from "./encoder.ts";

export interface WasmFeatures {
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
  /** Shared memories and atomic instructions; whether the host lets several threads have one memory is another question. */
  readonly threads: boolean;
}

/** Asks the engine. Takes some microseconds and compiles nothing. */
export function probeFeatures(): WasmFeatures {
  return {
    simd: accepts(code => emptyVector(code)),
    relaxedSimd: accepts(code => {
      for (let operand = 0; operand < 3; operand++) emptyVector(code);
      code.instruction(op["f32x4.relaxed_madd"]);
    }),
    threads: accepts(code => {
      code.instruction(op["i32.const"]);
      code.s32(0);
      code.instruction(op["i32.atomic.load"]);
      code.u32(2);
      code.u32(0);
    }, true),
  };
}

export interface EngineTargetOptions {
  /** Results that do not depend on the machine: products and sums rounded one by one. */
  readonly deterministic?: boolean;
  readonly features?: WasmFeatures;
  readonly winograd?: WinogradUse;
  readonly threads?: number;
  /** Kernels in the form that an engine can join to wider vectors. */
  readonly pairs?: boolean;
}

/** The target that fits the engine. */
export const engineTarget = ({
  deterministic = false,
  features = probeFeatures(),
  winograd = "auto",
  threads = 1,
  pairs = false,
}: EngineTargetOptions = {}): Target =>
  wasmTarget({ relaxedMadd: features.relaxedSimd && !deterministic, winograd, threads: features.threads ? threads : 1, pairs });

const emptyVector = (code: ByteWriter): void => {
  code.instruction(op["v128.const"]);
  code.bytes(new Uint8Array(16));
};

/** Is a module valid whose only function computes one value so? */
function accepts(write: (code: ByteWriter) => void, sharedMemory = false): boolean {
  const module = new ByteWriter();
  module.bytes(preamble);
  section(module, sections.type, out => out.bytes([1, 0x60, 0, 0]));
  if (sharedMemory) {
    section(module, sections.import, out => {
      out.u32(1);
      out.name("env");
      out.name("memory");
      out.bytes([2, 3, 1, 1]);
    });
  }
  section(module, sections.function, out => out.bytes([1, 0]));
  section(module, sections.code, out => {
    const body = new ByteWriter();
    body.bytes([0, op.block, emptyBlock]);
    write(body);
    body.bytes([0x1a, op.end, op.end]);
    out.u32(1);
    out.sized(body.finish());
  });
  return WebAssembly.validate(new Uint8Array(module.finish()));
}
