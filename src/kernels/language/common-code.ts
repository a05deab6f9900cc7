// One function for all kernels of a plan that differ in addresses alone (language/kernel-form.ts): smaller modules, and less to record, print and
// compile. Where the values of a kernel lie is assigned to variables of the module just before its functions are called, by a
// function of its own for each phase, so that whoever shares a phase does the same. Kernels that another size of a feed would have again are
// recorded so as well and kept: a plan for that size takes their functions as they are.

import type { Value } from "../../ir/program.ts";
import { type Kernel, mayHaveScratch, type WithScratch } from "../../schedule/plan.ts";
import { formOf, type KernelForm, startBytes, withoutStarts } from "./kernel-form.ts";
import type { Phase, Recording } from "../phase.ts";
import type { KernelModule } from "./language.ts";
import { type Address, Addresses, type CodePlace, type ScratchPlace } from "../places.ts";
import { ModuleRecorder } from "./recorder.ts";

/** What code with addresses of its own is recorded with. */
type Named = Pick<Recording, "module" | "name">;
type RecordKernel = (kernel: Kernel, recording: Recording) => Phase[];

export const scratchVariable = "scratch";
export const variableOf = (number: number): string => `v${number}`;

/** A kernel's functions in a module of their own, whatever plan they are recorded for. */
interface KeptForm {
  readonly module: KernelModule;
  readonly phases: readonly Phase[];
}

const mostForms = 1024;

/** Recorded kernels by form, for the plans of one target. */
export class KeptCode {
  readonly #forms = new Map<string, KeptForm>();
  #names = 0;

  /** The functions of a form, recorded by `record` if they are not known. */
  take(form: KernelForm, { module: { target, memory } }: Recording, record: (named: Named) => Phase[]): KeptForm & { isNew: boolean } {
    const known = this.#forms.get(form.text);
    if (known !== undefined) return { ...known, isNew: false };
    if (this.#forms.size >= mostForms) this.#forms.clear();
    const module = new ModuleRecorder(target, memory);
    // Other plans have other functions: these names are never given twice.
    const phases = record({ module, name: kind => `${kind}.kept${this.#names++}` });
    const kept = { module: module.finish({ isVerified: false }), phases };
    this.#forms.set(form.text, kept);
    return { ...kept, isNew: true };
  }
}

/** Values whose shapes no feed decides, and the code of kernels that touch no others. */
export interface Keeping {
  readonly code: KeptCode;
  readonly fixed: ReadonlySet<Value>;
}

export class CommonCode {
  /** Kernels whose functions were recorded for another plan. */
  reused = 0;
  readonly #recording: Recording;
  readonly #record: RecordKernel;
  readonly #keeping: Keeping | undefined;
  readonly #forms = new Map<Kernel, KernelForm>();
  readonly #recorded = new Map<string, readonly Phase[]>();

  /** Of fewer kernels than `fewest` each has functions of its own. */
  constructor(
    kernels: readonly Kernel[],
    fewest: number,
    { recording, record, keeping }: { recording: Recording; record: RecordKernel; keeping: Keeping | undefined },
  ) {
    this.#recording = recording;
    this.#record = record;
    this.#keeping = keeping;
    const byText = new Map<string, Kernel[]>();
    const collect = (kernel: Kernel): void => {
      if (kernel.kind === "branch") for (const inner of kernel.cases.flat()) collect(inner);
      if (kernel.kind === "loop") for (const inner of [...kernel.condition, ...kernel.body]) collect(inner);
      if (kernel.kind === "sweep") for (const inner of kernel.maps) collect(inner);
      const form = formOf(kernel);
      if (form === undefined) return;
      const alike = byText.get(form.text);
      if (alike) alike.push(kernel);
      else byText.set(form.text, [kernel]);
      this.#forms.set(kernel, form);
    };
    for (const kernel of kernels) collect(kernel);
    for (const alike of byText.values())
      if (alike.length < fewest && !this.#isKept(this.#forms.get(alike[0]))) for (const kernel of alike) this.#forms.delete(kernel);
  }

  #isKept(form: KernelForm | undefined): boolean {
    const fixed = this.#keeping?.fixed;
    return fixed !== undefined && form !== undefined && form.values.every(value => fixed.has(value));
  }

  /** The phases of a kernel that has others like it, here or in plans for other sizes. */
  phasesOf(kernel: Kernel): Phase[] | undefined {
    const form = this.#forms.get(kernel);
    if (form === undefined) return undefined;
    const known = this.#recorded.get(form.text) ?? this.#phases(kernel, form);
    this.#recorded.set(form.text, known);
    return known.map(phase => this.#called(phase, kernel, form));
  }

  #phases(kernel: Kernel, form: KernelForm): readonly Phase[] {
    const recording = this.#recording;
    const record = (named: Named): Phase[] => {
      const moved = withoutStarts(kernel, form);
      return this.#record(moved.kernel, new ArgumentRecording(named, moved.values));
    };
    if (this.#keeping === undefined || !this.#isKept(form)) return record(recording);
    const { phases, module, isNew } = this.#keeping.code.take(form, recording, record);
    if (!isNew) this.reused++;
    recording.module.include(module);
    return phases;
  }

  /** A phase that says where the kernel's values lie, then calls what all of its form have. */
  #called(phase: Phase, kernel: Kernel, form: KernelForm): Phase {
    const { module, places } = this.#recording;
    const { values } = form;
    const { function: shared } = phase;
    const names = ["low", "high", "thread"].slice(0, shared.params.length);
    const params = Object.fromEntries(names.map(name => [name, "i32" as const]));
    const ref = module.function(this.#recording.name(`${phase.name}.at`), { params }, (k, given) => {
      const addresses = new Addresses(k, places);
      const assign = (variable: string, address: Address): void => k.assign(variable, addresses.number(address));
      values.forEach((value, number) => {
        const { base, offset } = addresses.of(value);
        assign(variableOf(number), { base, offset: offset + startBytes(value, form) });
      });
      const scratch = mayHaveScratch(kernel) ? this.#recording.scratchOf(kernel) : undefined;
      if (scratch) assign(scratchVariable, addresses.at(scratch));
      k.call(shared, ...Object.values(given));
    });
    return { ...phase, function: ref, values };
  }
}

/** Records with addresses that are assigned later. */
class ArgumentRecording implements Recording {
  readonly module: Recording["module"];
  readonly name: Recording["name"];
  readonly places: Map<Value, CodePlace>;

  constructor({ module, name }: Named, values: readonly Value[]) {
    this.module = module;
    this.name = name;
    this.places = new Map(values.map((value, number) => [value, { region: "argument", variable: variableOf(number), offsetBytes: 0 }]));
  }

  place(value: Value, place: CodePlace): void {
    this.places.set(value, place);
  }

  scratchOf({ scratch }: WithScratch): ScratchPlace | undefined {
    return scratch && { region: "argument", variable: scratchVariable, offsetBytes: 0 };
  }
}
