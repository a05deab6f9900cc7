// Addresses of values in a recorded function: the base of a value's region once per function, the rest as constant offsets.

import { InternalError } from "../base/errors.ts";
import type { Value } from "../ir/program.ts";
import type { Place } from "../schedule/plan.ts";
import { type Expr, i32 } from "./language/language.ts";
import type { FunctionRecorder } from "./language/recorder.ts";

/** An address: a base in a local, and bytes to add. */
export interface Address {
  readonly base: Expr<"i32">;
  readonly offset: number;
}

/** Name of the imported number that says where a state's memory begins. */
export const stateGlobal = (id: string): string => `state:${id}`;
export const arenaGlobal = "arena";
export const constantGlobal = "constants";

/** Where a value lies for recorded code: its place in the plan, or so many bytes behind an address that whoever calls the code assigns. */
export type CodePlace =
  | Exclude<Place, { region: "arena" | "constant" }>
  | { readonly region: "arena" | "constant"; readonly offsetBytes: number }
  | { readonly region: "argument"; readonly variable: string; readonly offsetBytes: number };

/** A place that other values of a kernel's own may lie behind. */
export type ScratchPlace = Extract<CodePlace, { offsetBytes: number }>;

/** Where values begin, as locals of one function. */
export interface AddressBook {
  of(value: Value): Address;
}

/** The places of a plan as addresses inside one function. */
export class Addresses implements AddressBook {
  private readonly k: FunctionRecorder;
  private readonly places: ReadonlyMap<Value, CodePlace>;
  private readonly bases = new Map<string, Expr<"i32">>();

  constructor(k: FunctionRecorder, places: ReadonlyMap<Value, CodePlace>, readAhead: readonly Value[] = []) {
    this.k = k;
    this.places = places;
    for (const value of readAhead) this.of(value);
  }

  place(value: Value): CodePlace {
    const place = this.places.get(value);
    if (!place) throw new InternalError(`v${value.id} has no place.`);
    return place;
  }

  of(value: Value): Address {
    return this.at(this.place(value), value);
  }

  at(place: CodePlace, value?: Value): Address {
    switch (place.region) {
      case "arena":
        return { base: this.base(arenaGlobal), offset: place.offsetBytes };
      case "constant":
        return { base: this.base(constantGlobal), offset: place.offsetBytes };
      case "state":
        return { base: this.base(stateGlobal(place.state.id)), offset: 0 };
      case "argument":
        return { base: this.argument(place.variable), offset: place.offsetBytes };
      case "host":
        throw new InternalError(`A kernel addresses v${value?.id}, which lives on the host.`);
    }
  }

  /** An address as one number. */
  number({ base, offset }: Address): Expr<"i32"> {
    return i32.add(base, offset);
  }

  private base(name: string): Expr<"i32"> {
    return this.once(name, () => this.k.module.global(name));
  }

  private argument(name: string): Expr<"i32"> {
    return this.once(name, () => this.k.module.variable(name));
  }

  private once(name: string, read: () => Expr<"i32">): Expr<"i32"> {
    const base = this.bases.get(name) ?? this.k.let(read(), name);
    this.bases.set(name, base);
    return base;
  }
}
