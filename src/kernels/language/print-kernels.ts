// Recorded kernels as text, for explain, for error messages and for tests of plans. Stable: equal records print equal text.

import type { Expr, KernelFunction, KernelModule, Statement, VectorAccess } from "./language.ts";

type NameOf = (local: number) => string;

/** The whole module: imports, then functions in the order they were recorded. */
export function printModule(module: KernelModule): string {
  const { target, memory, globals, variables, imports, functions, data } = module;
  const pages = `${memory.minPages}${memory.maxPages === undefined ? "" : `..${memory.maxPages}`} pages${memory.shared ? ", shared" : ""}`;
  return [
    `module for ${target.name}, memory ${pages}`,
    ...globals.map(name => `global ${name}`),
    ...variables.map(name => `variable ${name}`),
    ...data.map(({ global, bytes }) => `data at ${global}: ${bytes.length} bytes`),
    ...imports.map(({ name, params, results }) => `import ${name}(${params.join(", ")})${printResults(results)}`),
    ...functions.map(printFunction),
  ].join("\n");
}

export function printFunction(fn: KernelFunction): string {
  const nameOf: NameOf = id => (fn.locals[id]?.name ? `${fn.locals[id].name}.${id}` : `v${id}`);
  const params = fn.params.map((type, id) => `${nameOf(id)}: ${type}`).join(", ");
  const lines = printBlock(fn.body, nameOf, "  ", id => fn.locals[id]?.type ?? "?");
  return [`${fn.exported ? "export " : ""}func ${fn.name}(${params})${printResults(fn.results)} {`, ...lines, "}"].join("\n");
}

const printResults = (results: readonly string[]): string => (results.length === 0 ? "" : ` -> ${results.join(", ")}`);

const printBlock = (block: readonly Statement[], nameOf: NameOf, indent: string, typeOf: NameOf): string[] =>
  block.flatMap(statement => printStatement(statement, nameOf, indent, typeOf));

function printStatement(s: Statement, nameOf: NameOf, indent: string, typeOf: NameOf): string[] {
  const inside = (body: readonly Statement[]) => printBlock(body, nameOf, `${indent}  `, typeOf);
  const expr = (e: Expr) => printExpression(e, nameOf);
  const line = (text: string, ...rest: readonly string[]) => [`${indent}${text}`, ...rest];
  switch (s.kind) {
    case "set":
      return line(`${s.declares ? `let ${nameOf(s.local)}: ${typeOf(s.local)}` : nameOf(s.local)} = ${expr(s.value)}`);
    case "store":
      return line(`store.${s.access} [${printAddress(s.address, s.offset, nameOf)}] = ${expr(s.value)}`);
    case "vstore":
      return line(`${s.lane}.store${printAccess(s.access)} [${printAddress(s.address, s.offset, nameOf)}] = ${expr(s.value)}`);
    case "loop": {
      const head = `for ${nameOf(s.counter)} = ${expr(s.from)} to ${expr(s.to)}${s.step === 1 ? "" : ` step ${s.step}`} {`;
      return line(head, ...inside(s.body), `${indent}}`);
    }
    case "while":
      return line(`while ${expr(s.condition)} {`, ...inside(s.body), `${indent}}`);
    case "if": {
      const otherwise = s.otherwise.length === 0 ? [] : [`${indent}} else {`, ...inside(s.otherwise)];
      return line(`if ${expr(s.condition)} {`, ...inside(s.then), ...otherwise, `${indent}}`);
    }
    case "block":
      return line(`block @${s.label} {`, ...inside(s.body), `${indent}}`);
    case "break":
      return line(`break @${s.label}${s.condition === null ? "" : ` if ${expr(s.condition)}`}`);
    case "call": {
      const results = s.results.length === 0 ? "" : `let ${s.results.map(nameOf).join(", ")} = `;
      return line(`${results}${s.callee}(${s.args.map(expr).join(", ")})`);
    }
    case "assign":
      return line(`${s.variable} = ${expr(s.value)}`);
    case "return":
      return line(["return", s.values.map(expr).join(", ")].join(" ").trimEnd());
    case "trap":
      return line("trap");
    case "transpose":
      return line(`${s.lane}.transpose(${s.rows.map(nameOf).join(", ")})`);
    case "copyBytes":
      return line(`copyBytes(to ${expr(s.to)}, from ${expr(s.from)}, ${expr(s.bytes)})`);
    case "fillBytes":
      return line(`fillBytes(to ${expr(s.to)}, ${expr(s.byte)}, ${expr(s.bytes)})`);
    case "atomic": {
      const call = `atomic.${s.op} [${printAddress(s.address, s.offset, nameOf)}](${s.args.map(expr).join(", ")})`;
      return line(s.result === null ? call : `let ${nameOf(s.result)} = ${call}`);
    }
  }
}

export function printExpression(e: Expr, nameOf: NameOf = id => `v${id}`): string {
  const expr = (inner: Expr) => printExpression(inner, nameOf);
  switch (e.kind) {
    case "const":
      return e.type === "i32" ? printNumber(e.value) : `${printNumber(e.value)}:${e.type}`;
    case "vconst":
      return `${e.lane}(${e.values.map(printNumber).join(", ")})`;
    case "local":
      return nameOf(e.id);
    case "global":
      return `$${e.name}`;
    case "load":
      return `${e.type}.load${e.access === e.type ? "" : `.${e.access}`}[${printAddress(e.address, e.offset, nameOf)}]`;
    case "vload":
      return `${e.lane}.load${printAccess(e.access)}[${printAddress(e.address, e.offset, nameOf)}]`;
    case "apply":
      return `${e.op}(${e.args.map(expr).join(", ")})`;
    case "extract":
      return `${e.lane}.extract(${expr(e.vector)}, ${e.index})`;
    case "insert":
      return `${e.lane}.insert(${expr(e.vector)}, ${e.index}, ${expr(e.value)})`;
    case "shuffle":
      return `${e.lane}.shuffle(${expr(e.a)}, ${expr(e.b)}, [${e.lanes.join(", ")}])`;
  }
}

const printNumber = (value: number | bigint): string => (Object.is(value, -0) ? "-0" : String(value));

const printAddress = (address: Expr, offset: number, nameOf: NameOf): string =>
  offset === 0 ? printExpression(address, nameOf) : `${printExpression(address, nameOf)} + ${offset}`;

function printAccess(access: VectorAccess): string {
  switch (access.form) {
    case "whole":
      return "";
    case "part":
      return `.first${access.count}`;
    case "splat":
      return ".splat";
    case "narrow":
      return `.${access.element}`;
  }
}
