// One function for all kernels of a plan that differ in addresses alone (kernel-form.ts): smaller modules, and less to record, print and
// compile. Where the values of a kernel lie is assigned to variables of the module just before its functions are called, by a
// function of its own for each phase, so that whoever shares a phase does the same.

import type { Value } from "../ir/program.ts";
import type { Kernel } from "../schedule/plan.ts";
import { formOf, type KernelForm } from "./kernel-form.ts";
import type { Phase, Recording, WithScratch } from "./phase.ts";
import { Addresses, type CodePlace, type ScratchPlace } from "./places.ts";

type RecordKernel = (kernel: Kernel, recording: Recording) => Phase[];

export const scratchVariable = "scratch";
export const variableOf = (number: number): string => `v${number}`;

export class CommonCode {
  readonly #recording: Recording;
  readonly #record: RecordKernel;
  readonly #forms = new Map<Kernel, KernelForm>();
  readonly #recorded = new Map<string, Phase[]>();

  /** Of fewer kernels than `fewest` each has functions of its own. */
  constructor(kernels: readonly Kernel[], fewest: number, { recording, record }: { recording: Recording; record: RecordKernel }) {
    this.#recording = recording;
    this.#record = record;
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
    for (const alike of byText.values()) if (alike.length < fewest) for (const kernel of alike) this.#forms.delete(kernel);
  }

  /** The phases of a kernel that has others like it. */
  phasesOf(kernel: Kernel): Phase[] | undefined {
    const form = this.#forms.get(kernel);
    if (form === undefined) return undefined;
    const known = this.#recorded.get(form.text) ?? this.#record(kernel, new ArgumentRecording(this.#recording, form));
    this.#recorded.set(form.text, known);
    return known.map(phase => this.#called(phase, kernel, form));
  }

  /** A phase that says where the kernel's values lie, then calls what all of its form have. */
  #called(phase: Phase, kernel: Kernel, { values }: KernelForm): Phase {
    const { module, places } = this.#recording;
    const { function: shared } = phase;
    const names = ["low", "high", "thread"].slice(0, shared.params.length);
    const params = Object.fromEntries(names.map(name => [name, "i32" as const]));
    const ref = module.function(this.#recording.name(`${phase.name}.at`), { params }, (k, given) => {
      const addresses = new Addresses(k, places);
      const assign = (variable: string, place: CodePlace): void => k.assign(variable, addresses.number(addresses.at(place)));
      values.forEach((value, number) => void assign(variableOf(number), addresses.place(value)));
      const scratch = kernel.kind === "reduce" || kernel.kind === "contract" ? this.#recording.scratchOf(kernel) : undefined;
      if (scratch) assign(scratchVariable, scratch);
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

  constructor({ module, name }: Recording, { values }: KernelForm) {
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
