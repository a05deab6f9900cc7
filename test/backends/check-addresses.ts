// A recorded module that stops at any access outside the places its kernels were given: before every statement that touches memory stand
// comparisons of its addresses with those places, and a trap. Exact where canaries and traps of the engine are not.
import { dtypeBytes } from "../../src/base/dtype.ts";
import { sizeOf } from "../../src/base/shape.ts";
import type { Value } from "../../src/ir/program.ts";
import type { Recorded } from "../../src/kernels/index.ts";
import {
  accessBytes,
  type Expr,
  i32,
  type KernelFunction,
  type KernelModule,
  laneTable,
  type Statement,
} from "../../src/kernels/language/language.ts";
import { liveRanges } from "../../src/kernels/language/live-ranges.ts";
import { arenaGlobal, constantGlobal, stateGlobal } from "../../src/kernels/places.ts";
import { scratchVariable, variableOf } from "../../src/kernels/language/common-code.ts";
import { statusGlobal } from "../../src/kernels/check.ts";
import { expressionsOf, forEachExpression } from "../../src/kernels/language/traverse-kernels.ts";
import { verifyModule } from "../../src/kernels/language/verify-kernels.ts";
import { readsOfKernel, writesOfKernel } from "../../src/schedule/draft.ts";
import type { Kernel, Place, Plan } from "../../src/schedule/plan.ts";

interface Span {
  readonly global: string;
  readonly offset: number;
  readonly bytes: number;
}

interface Access {
  readonly address: Expr<"i32">;
  readonly offset: number;
  readonly bytes: number | Expr<"i32">;
  readonly isStore: boolean;
}

/** The module with its checks. Functions that are no phase (`run`, and those that several kernels call) may touch every place of the plan. */
export function withAddressChecks(recorded: Recorded, plan: Plan): KernelModule {
  const { module } = recorded;
  const status: Span = { global: statusGlobal, offset: 0, bytes: 8 };
  const states = plan.states.map(({ state }) => ({
    region: "state" as const,
    state,
    bytes: sizeOf(state.shape) * dtypeBytes(state.dtype),
  }));
  const all = [...plan.places.values(), ...states, ...copiedTo(plan.kernels), ...scratchIn(plan.kernels)].flatMap(spanOf);
  const spans = new Map(
    recorded.phases.flatMap(({ name, kernel, values, joined = [] }) => [
      [name, spansOf(kernel, plan, values)] as const,
      ...joined.filter(part => !part.name.startsWith(`${name}.`)).map(part => [part.name, spansOf(kernel, plan, part.values)] as const),
    ]),
  );
  const functions = module.functions.map(fn => {
    // Functions that belong to a phase are called after it: contract23.tile6x8.
    const own = spans.get(fn.name.split(".")[0]);
    return checked(
      fn,
      own ? { reads: [...own.reads, status], writes: [...own.writes, status] } : { reads: [...all, status], writes: [...all, status] },
    );
  });
  const globals = [
    ...new Set([...module.globals, statusGlobal, arenaGlobal, constantGlobal, ...states.map(place => stateGlobal(place.state.id))]),
  ];
  const result: KernelModule = { ...module, functions, globals };
  verifyModule(result);
  return result;
}

const copiedTo = (kernels: readonly Kernel[]): Place[] =>
  kernels.flatMap(kernel => {
    if (kernel.kind === "branch") return kernel.cases.flatMap(copiedTo);
    if (kernel.kind === "loop") return [...copiedTo(kernel.condition), ...copiedTo(kernel.body)];
    return kernel.kind === "copy" ? [kernel.to] : [];
  });

const scratchIn = (kernels: readonly Kernel[]): Place[] =>
  kernels.flatMap((kernel): Place[] => {
    if (kernel.kind === "branch") return kernel.cases.flatMap(scratchIn);
    if (kernel.kind === "loop") return [...scratchIn(kernel.condition), ...scratchIn(kernel.body)];
    return "scratch" in kernel && kernel.scratch !== undefined ? [{ region: "arena", ...kernel.scratch }] : [];
  });

interface Spans {
  readonly reads: readonly Span[];
  readonly writes: readonly Span[];
}

function spanOf(place: Place): Span[] {
  switch (place.region) {
    case "arena":
      return [{ global: arenaGlobal, offset: place.offsetBytes, bytes: place.bytes }];
    case "constant":
      return [{ global: constantGlobal, offset: place.offsetBytes, bytes: place.bytes }];
    case "state":
      return [{ global: stateGlobal(place.state.id), offset: 0, bytes: place.bytes }];
    case "host":
      return [];
  }
}

/** Code of kernels that differ in addresses alone is held to the addresses it was given. */
function spansOf(kernel: Kernel, plan: Plan, values?: readonly Value[]): Spans {
  const at = (value: Value): Span[] => {
    const bytes = sizeOf(value.shape) * dtypeBytes(value.dtype);
    if (values) return !values.includes(value) ? [] : [{ global: variableOf(values.indexOf(value)), offset: 0, bytes }];
    const place = plan.places.get(value);
    if (place === undefined) throw new Error(`v${value.id} has no place.`);
    return spanOf({ ...place, bytes } as Place);
  };
  const written = kernel.kind === "copy" || kernel.kind === "branch" || kernel.kind === "loop" ? [] : writesOfKernel(kernel).flatMap(at);
  const inArena = "scratch" in kernel && kernel.scratch !== undefined ? spanOf({ region: "arena", ...kernel.scratch }) : [];
  const scratch = values ? inArena.map(({ bytes }) => ({ global: scratchVariable, offset: 0, bytes })) : inArena;
  const reads = [...readsOfKernel(kernel)].flatMap(at);
  return { reads: [...reads, ...written, ...scratch], writes: [...written, ...scratch] };
}

function checked(fn: KernelFunction, spans: Spans): KernelFunction {
  const block = (statements: readonly Statement[]): Statement[] =>
    statements.flatMap(statement => {
      const checks = accessesOf(statement).map(access => check(access, access.isStore ? spans.writes : spans.reads));
      return [...checks, inside(statement, checks)];
    });
  const inside = (statement: Statement, checks: readonly Statement[]): Statement => {
    switch (statement.kind) {
      case "loop":
      case "block":
        return { ...statement, body: block(statement.body) };
      case "while":
        return { ...statement, body: [...block(statement.body), ...checks] };
      case "if":
        return { ...statement, then: block(statement.then), otherwise: block(statement.otherwise) };
      default:
        return statement;
    }
  };
  const body = block(fn.body);
  const ranges = liveRanges(fn.locals.length, fn.params.length, body);
  return { ...fn, body, locals: fn.locals.map((local, id) => ({ ...local, ...ranges[id] })) };
}

/** `if (no place holds [address, address + bytes)) trap` */
function check({ address, offset, bytes }: Access, spans: readonly Span[]): Statement {
  const at = i32.add(address, offset);
  let holds: Expr<"i32"> = i32.const(0);
  for (const span of spans) {
    const from = i32.sub(at, i32.add({ kind: "global", type: "i32", name: span.global }, span.offset));
    if (typeof bytes === "number") {
      if (bytes <= span.bytes) holds = i32.or(holds, i32.leU(from, span.bytes - bytes));
    } else holds = i32.or(holds, i32.and(i32.leU(bytes, span.bytes), i32.leU(from, i32.sub(span.bytes, bytes))));
  }
  return { kind: "if", condition: i32.eqz(holds), then: [{ kind: "trap" }], otherwise: [] };
}

function accessesOf(statement: Statement): Access[] {
  const found: Access[] = [];
  for (const expr of expressionsOf(statement))
    forEachExpression(expr, e => {
      if (e.kind === "load") found.push({ address: e.address, offset: e.offset, bytes: accessBytes[e.access], isStore: false });
      if (e.kind === "vload") found.push({ address: e.address, offset: e.offset, bytes: vectorBytes(e), isStore: false });
    });
  switch (statement.kind) {
    case "store":
      found.push({ address: statement.address, offset: statement.offset, bytes: accessBytes[statement.access], isStore: true });
      break;
    case "vstore":
      found.push({ address: statement.address, offset: statement.offset, bytes: vectorBytes(statement), isStore: true });
      break;
    case "copyBytes":
      found.push({ address: statement.from, offset: 0, bytes: statement.bytes, isStore: false });
      found.push({ address: statement.to, offset: 0, bytes: statement.bytes, isStore: true });
      break;
    case "fillBytes":
      found.push({ address: statement.to, offset: 0, bytes: statement.bytes, isStore: true });
      break;
  }
  return found;
}

function vectorBytes({ lane, access }: Extract<Expr, { kind: "vload" }> | Extract<Statement, { kind: "vstore" }>): number {
  const { bytes } = laneTable[lane];
  const whole = 16;
  switch (access.form) {
    case "whole":
      return whole;
    case "part":
      return access.count * bytes;
    case "splat":
      return bytes;
    case "narrow":
      return (whole / bytes) * accessBytes[access.element];
  }
}
