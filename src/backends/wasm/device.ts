// A device of the wasm backend: plans compiled for the memory that all programs of a session share (device-memory.ts).

import { noMemoryFor } from "../../base/dtype.ts";
import { InternalError, ResourceExhaustedError } from "../../base/errors.ts";
import { sizeOf } from "../../base/shape.ts";
import type { Program, Value } from "../../ir/program.ts";
import { KeptCode } from "../../kernels/language/common-code.ts";
import { type Recorded, record } from "../../kernels/index.ts";
import type { KernelModule } from "../../kernels/language/language.ts";
import { scheduleTarget } from "../../kernels/scratch.ts";
import type { Target } from "../../kernels/target.ts";
import { verifyModule } from "../../kernels/language/verify-kernels.ts";
import type { Kernel, Plan, ScheduleTarget } from "../../schedule/plan.ts";
import { type CompileOptions, type Device, type Executable, resourceKeeper } from "../device.ts";
import { AnySizeKernels } from "./any-size.ts";
import { loadFunctions, loadFunctionsOfHost, OwnCode } from "./code.ts";
import { DeviceMemory, largestBuffers } from "./device-memory.ts";
import { WasmExecutable } from "./executable.ts";
import { alignment } from "./memory.ts";
import { ModuleCache } from "./module-cache.ts";
import { printWasm } from "./printer.ts";

const compiled = new ModuleCache();

export class WasmDevice extends DeviceMemory implements Device {
  readonly name = "wasm";
  readonly target: ScheduleTarget;
  readonly anySizeTarget: ScheduleTarget = { alignment, scratchBytes: () => 0, isAnySize: true };
  modules = 0;
  private readonly keptCode = new KeptCode();
  private readonly anySize = new AnySizeKernels(this, recorded => this.compileModule(recorded));
  private readonly keeper = resourceKeeper();
  readonly resource = this.keeper.resource;
  readonly endResources = this.keeper.endResources;

  constructor(kernelTarget: Target) {
    super(kernelTarget);
    this.target = scheduleTarget(kernelTarget);
  }

  async compile(
    _program: Program,
    plan: Plan | null,
    { anySize = false, isTraced = false, fixed }: CompileOptions = {},
  ): Promise<Executable> {
    if (!plan) throw new InternalError("The wasm backend was given no plan.");
    refuseTooLarge(plan);
    if (anySize) {
      const code = await this.anySize.codeOf(plan);
      await loadFunctionsOfHost(code);
      return new WasmExecutable(this, plan, code);
    }
    const recorded: Recorded = record(plan, this.kernelTarget, {
      isVerified: false,
      isTraced,
      keeping: fixed && { code: this.keptCode, fixed },
    });
    if (recorded.sharedPhases > 0) this.pool?.prepare(this.kernelTarget.threads);
    const { module, bytes } = await this.compileModule(recorded.module);
    await loadFunctionsOfHost(recorded);
    return new WasmExecutable(this, plan, new OwnCode(this, recorded, module, bytes), { isTraced });
  }

  private async compileModule(recorded: KernelModule): Promise<{ module: WebAssembly.Module; bytes: number }> {
    const bytes = printWasm(recorded);
    this.modules++;
    const module = await compiled.compile(bytes).catch((error: unknown) => {
      // The engine checks types and scopes itself; where it objects, the verifier says what about in words of the language.
      verifyModule(recorded);
      throw new InternalError(`The engine refuses the module: ${String(error)}`);
    });
    await loadFunctions(recorded);
    return { module, bytes: bytes.length };
  }
}

const mostArenaBytes = 2 ** 32;
/** Counters are signed numbers of 32 bits, and go past the end by some vectors or a unit of work. */
const mostPlaces = 2 ** 31 - 2 ** 10;

/** @throws ResourceExhaustedError for what 32 bits cannot address or count, before anything is recorded for it. */
function refuseTooLarge(plan: Plan): void {
  if (plan.arenaBytes > mostArenaBytes)
    throw new ResourceExhaustedError(
      `OOM when allocating ${plan.arenaBytes} bytes for the arena${largestBuffers(plan)}\n\nWebAssembly addresses at most 4 GiB. Use a smaller batch.`,
    );
  for (const { shape, dtype } of [...plan.places.keys(), ...plan.kernels.flatMap(spacesOf)])
    if (sizeOf(shape) >= mostPlaces)
      throw new ResourceExhaustedError(
        `${noMemoryFor(shape, dtype)}\n\nLoops count elements by signed 32-bit numbers: a tensor has less than 2^31. Use a smaller batch.`,
      );
}

/** What a kernel walks through and may never have been an array. */
function spacesOf(kernel: Kernel): readonly Pick<Value, "shape" | "dtype">[] {
  switch (kernel.kind) {
    case "branch":
      return kernel.cases.flat().flatMap(spacesOf);
    case "loop":
      return [...kernel.condition, ...kernel.body].flatMap(spacesOf);
    case "reductions":
      return kernel.reductions.flatMap(spacesOf);
    case "reduce":
    case "scatter":
      return [{ shape: kernel.over, dtype: kernel.body.dtype }];
    case "check":
      return [{ shape: kernel.over, dtype: kernel.ok.dtype }];
    default:
      return [];
  }
}
