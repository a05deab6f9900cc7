// `node scripts/generate-api.ts [--check]`: writes src/index/ (the namespaces of the public API: every name of TensorFlow's that a room exports)
// and src/compat/{signatures,names}.ts (TensorFlow's argument orders, and the same names in snake_case). --check: only says what is stale.
// TensorFlow's side is recorded in test/parity/spec; ours is read from the modules themselves, so a new function needs no second edit.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as errors from "../src/base/errors.ts";
import { camelOf, snakeOf } from "../src/base/names.ts";
import { loadSpec } from "../test/parity/golden.ts";

const source = fileURLToPath(new URL("../src/", import.meta.url));

interface Argument {
  readonly name: string;
  readonly default?: unknown;
  readonly rest?: boolean;
  readonly keywords?: boolean;
}

interface PublicName {
  readonly kind: "function" | "class" | "value";
  readonly args?: readonly Argument[];
  readonly methods?: Readonly<Record<string, readonly Argument[] | null>>;
}

const { names } = loadSpec("public-names") as { names: Readonly<Record<string, PublicName>> };
const nullRefusalsOf = loadSpec("none-options") as Readonly<Record<string, Readonly<Record<string, string>>>>;
const aliasGroups = new Map((loadSpec("public-aliases") as string[][]).flatMap(group => group.map(name => [name, group] as const)));

/** Rooms whose exports may be public, and the single files of others that are. */
const rooms = /^(?:ops|gradients|library|session|io|monitored|formats)\//;
const singles = new Set([
  "graph/graph.ts",
  "graph/graph-version.ts",
  "base/errors.ts",
  "graph/operation.ts",
  "graph/device.ts",
  "graph/default-graph.ts",
  "graph/indexed-slices.ts",
  "graph/sparse-tensor.ts",
  "graph/conversion.ts",
  "base/shape.ts",
  "base/dtype-names.ts",
  "base/dtype-class.ts",
  "base/dimension.ts",
]);
const internal = /^ops\/(?:operators|arguments|named|registry|linalg\/dense|linalg\/schur)\.ts$/;

/** Where the names of a namespace live, if not in files called like it. */
const homes: Readonly<Record<string, RegExp>> = {
  "": /^(?:ops|graph|base|gradients|session|io)\/|^formats\/message-types|^library\/(?!layers\/(?!input-spec)|losses|metrics\/|train\/|summary|data\/|distributions|feature-columns|ragged\/(?!ragged-tensor|string-split))/,
  dtypes: /^base\/dtype-(?:names|class)|^ops\/(?:math|string)/,
  nest: /^ops\/flow\/nested/,
  config: /^session\/(?:devices|settings)|^library\/traced-function/,
  mixed_precision: /^library\/train\/loss-scale/,
  "mixed_precision.experimental": /^library\/train\/loss-scale/,
  "train.experimental": /^library\/train\/loss-scale/,
  "xla.experimental": /^library\/xla/,
  "config.optimizer": /^session\/settings/,
  "config.threading": /^session\/devices/,
  "config.experimental": /^session\/(?:devices|settings)/,
  io: /^io\/|^ops\/string\/protos|^library\/features|^library\/ragged\/ragged-feature/,
  "io.gfile": /^io\/file-access/,
  "saved_model.constants": /^io\/saved-model/,
  "saved_model.signature_constants": /^io\/saved-model/,
  "saved_model.tag_constants": /^io\/saved-model/,
  nn: /^ops\/|^library\/layers\/rnn|^library\/dense-ctc/,
  "nn.rnn_cell": /^library\/layers\/rnn/,
  math: /^ops\/math/,
  "math.special": /^ops\/math/,
  linalg: /linalg|matrix/,
  "linalg.experimental": /^library\/linalg/,
  "nn.experimental": /^ops\/nn\//,
  debugging: /^ops\/flow\/check|^session\/settings|debugging/,
  strings: /^ops\/string|^library\/ragged\/ragged-strings/,
  signal: /^ops\/signal\//,
  spectral: /^ops\/signal\//,
  quantization: /^ops\/quantized\//,
  random: /^ops\/random\/|^library\/random/,
  "random.experimental": /^ops\/random\/|^library\/random/,
  queue: /^library\/queue/,
  lookup: /^library\/lookup/,
  "lookup.experimental": /^library\/lookup/,
  "data.experimental": /^library\/data\//,
  train: /^library\/train\/|^monitored\/|^io\/(?:saver|summary|example|queue-runners|meta-graph-files|cluster-message)/,
  "train.queue_runner": /^library\/train\/|^io\/queue-runners/,
  losses: /^library\/losses/,
  metrics: /^library\/metrics\//,
  distributions: /^library\/distributions\//,
  ragged: /^library\/ragged\/ragged-(?:functions|stacking|selection|arrays)/,
  feature_column: /^library\/feature-columns\//,
  layers: /^library\/layers\/(?!rnn|keras)/,
  "saved_model.main_op": /^io\/saved-model/,
  "saved_model.signature_def_utils": /^io\/saved-model/,
};

/** Names that a namespace has for another thing than the top level has: what they stand for there. */
const otherThanTop: Readonly<Record<string, string>> = {
  "debugging.check_numerics": "check_numerics",
  "manip.reshape": "reshape",
  "sparse.cross": "sparse_cross",
  "sparse.cross_hashed": "sparse_cross_hashed",
  "linalg.diag": "matrix_diag",
  "linalg.diag_part": "matrix_diag_part",
  "linalg.tensor_diag_part": "diag_part",
};

/** Named tuples, whose recorded signatures say `*args` only. */
const tuples: Readonly<Record<string, readonly Argument[]>> = {
  FixedLenFeature: [{ name: "shape" }, { name: "dtype" }, { name: "default_value", default: null }],
  FixedLenSequenceFeature: [
    { name: "shape" },
    { name: "dtype" },
    { name: "allow_missing", default: false },
    { name: "default_value", default: null },
  ],
  RaggedFeature: [
    { name: "dtype" },
    { name: "value_key", default: null },
    { name: "partitions", default: [] },
    { name: "row_splits_dtype", default: "int32" },
    { name: "validate", default: false },
  ],
  SparseFeature: [
    { name: "index_key" },
    { name: "value_key" },
    { name: "dtype" },
    { name: "size" },
    { name: "already_sorted", default: false },
  ],
  SparseTensorValue: [{ name: "indices" }, { name: "values" }, { name: "dense_shape" }],
  VarLenFeature: [{ name: "dtype" }],
};

/** Namespaces that belong to other things than graphs and sessions. */
const leftOut = /^(?:compat|keras|estimator|distribute|lite|tpu|test|app|flags|__internal__|autograph|types|raw_ops|errors)(?:\.|$)/;

interface Module {
  readonly path: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

async function loadModules(): Promise<Module[]> {
  const files = (readdirSync(source, { recursive: true }) as string[])
    .filter(file => file.endsWith(".ts") && !/\.(?:test|cases)\.ts$/.test(file))
    .sort();
  const wanted = files.filter(file => (rooms.test(file) || singles.has(file)) && !internal.test(file));
  const modules: Module[] = [];
  for (const path of wanted) {
    try {
      modules.push({ path, exports: { ...(await import(pathToFileURL(source + path).href)) } });
    } catch (error) {
      // Names are still known from the text, so a room under construction does not empty the API of the others.
      console.error(`${path} does not load: ${(error as Error).message.split("\n")[0]}`);
      process.exitCode = 1;
      modules.push({ path, exports: declaredExports(readFileSync(source + path, "utf8")) });
    }
  }
  return modules;
}

/** The exported names of a source, with something of their kind for a value. */
function declaredExports(text: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [, kind, name] of text.matchAll(/^export (?:async )?(const|function|class) (\w+)/gm)) {
    found[name] =
      kind === "class"
        ? class {}
        : kind === "const" && /^[A-Z][a-z]/.test(name) && !text.includes(`export const ${name} = {`)
          ? Object.assign(() => {}, { type: name, inputs: {}, shape: null })
          : null;
  }
  for (const [, list] of text.matchAll(/^export \{([^}]*)\}/gm)) {
    for (const item of list.split(",").filter(part => part.trim() !== "" && !/^\s*type /.test(part)))
      found[(item.trim().split(" as ").at(-1) as string).trim()] = null;
  }
  return found;
}

interface Found {
  readonly module: Module;
  readonly name: string;
}

const namespaceOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf("."), 0));
const leafOf = (path: string): string => path.slice(path.lastIndexOf(".") + 1);
const homeOf = (namespace: string): RegExp =>
  homes[namespace] ?? new RegExp(`(?:^|[/-])${leafOf(namespace).replace(/_/g, "-").replace(/s$/, "s?")}`);

/** The export behind a public name: its own, or that of a name TensorFlow has for the same thing. */
function find(path: string, modules: readonly Module[]): Found | undefined {
  for (const candidate of [otherThanTop[path] ?? path, ...(aliasGroups.get(path) ?? [])]) {
    if (leftOut.test(candidate)) continue;
    const name = camelOf(leafOf(candidate));
    const home = homeOf(namespaceOf(candidate));
    const inside = modules.filter(module => home.test(module.path) && Object.hasOwn(module.exports, name));
    const own = inside.filter(module => namespaceOf(candidate) !== "" && module.path.includes(leafOf(namespaceOf(candidate))));
    const [module] = own.length > 0 ? own : inside;
    if (module && !/^[A-Z]/.test(name)) return { module, name };
    // An op has TensorFlow's own name of a class only by accident: classes are asked to be classes.
    const classes = inside.filter(({ exports }) => !isOp(exports[name]));
    if (classes.length > 0) return { module: classes[0], name };
  }
  return undefined;
}

const isOp = (value: unknown): boolean => typeof value === "function" && "type" in value && "inputs" in value && "shape" in value;

// ---- src/index/ ----

interface Namespace {
  /** Public name → where it is found. */
  readonly members: Map<string, Found>;
  readonly children: Set<string>;
}

function collectNamespaces(modules: readonly Module[]): Map<string, Namespace> {
  const namespaces = new Map<string, Namespace>([["", { members: new Map(), children: new Set() }]]);
  const open = (path: string): Namespace => {
    let namespace = namespaces.get(path);
    if (!namespace) {
      namespace = { members: new Map(), children: new Set() };
      namespaces.set(path, namespace);
      open(namespaceOf(path)).children.add(leafOf(path));
    }
    return namespace;
  };
  for (const path of Object.keys(names).sort()) {
    const found = leftOut.test(path) ? undefined : find(path, modules);
    if (found) open(namespaceOf(path)).members.set(leafOf(path), found);
  }
  return namespaces;
}

const fileOf = (namespace: string): string =>
  `index/${namespace === "" ? "top-level" : namespace.replace(/[._]/g, "-").replace(/utils?$/, "utilities")}.ts`;
const importPath = (from: string, to: string): string => {
  const path = relative(dirname(from), to);
  return path.startsWith(".") ? path : `./${path}`;
};

function namespaceText(path: string, { members, children }: Namespace): string {
  const file = fileOf(path);
  const lines = [
    `// Generated by scripts/generate-api.ts: ${path === "" ? "the top level of the public API" : `tf.${path}`}. Names and nothing else.`,
    "",
  ];
  for (const child of [...children].sort())
    lines.push(`export * as ${camelOf(child)} from "${importPath(file, fileOf(path === "" ? child : `${path}.${child}`))}";`);
  const bySource = new Map<string, string[]>();
  for (const [leaf, found] of members) {
    const as = camelOf(leaf);
    const { name } = found;
    const isWrapped = isDispatched(found);
    const from = isWrapped ? "index/dispatching.ts" : found.module.path;
    const own = isWrapped ? wrapperOf(found) : name;
    bySource.set(from, [...(bySource.get(from) ?? []), as === own ? own : `${own} as ${as}`]);
  }
  for (const [from, list] of [...bySource].sort()) lines.push(`export { ${list.sort().join(", ")} } from "${importPath(file, from)}";`);
  return `${lines.join("\n")}\n`;
}

/** Are there arguments that answer for themselves? */
function isDispatched({ module, name }: Found): boolean {
  const plain = module.exports[name] as never;
  return answers.has(plain) || operators.has(plain);
}

/** What the function is called that looks at its arguments first: tf.sparse.bincount and tf.bincount are two. */
const wrapperOf = ({ module, name }: Found): string => (module.path === "ops/sparse/counting.ts" ? camelOf(`sparse_${name}`) : name);

/** The functions that look at their arguments first, with the comments of the originals for editors. */
function dispatchingText(namespaces: ReadonlyMap<string, Namespace>): string {
  const found = new Map<string, Found>();
  for (const { members } of namespaces.values())
    for (const one of members.values()) {
      if (!isDispatched(one)) continue;
      const own = wrapperOf(one);
      const known = found.get(own);
      if (known && known.module !== one.module) console.error(`${own} is dispatched in ${known.module.path} and in ${one.module.path}`);
      found.set(own, one);
    }
  const list = [...found.values()].sort((a, b) => (wrapperOf(a) < wrapperOf(b) ? -1 : 1));
  const aliasOf = (path: string): string => path.replace(/\.ts$/, "").replace(/[/-](\w)/g, (_, letter: string) => letter.toUpperCase());
  const paths = [...new Set(list.map(({ module }) => module.path))].sort();
  const operatorTypes = new Set<string>();
  const lines = list.map(one => {
    const { module, name } = one;
    const plain = `${aliasOf(module.path)}.${name}`;
    const value = module.exports[name] as never;
    const ragged = !answers.has(value) ? `typeof ${plain}` : `${answerKind(value)}<typeof ${plain}>`;
    const operator = operators.get(value)?.type;
    if (operator !== undefined) operatorTypes.add(operator);
    const ofSparse = sparse.has(value);
    const type = [ofSparse && "OfSparse", ragged, operator].filter(Boolean).join(" & ");
    const call = ofSparse ? "answeredForSparse" : "answered";
    return `${commentOf(module.path, name)}export const ${wrapperOf(one)}: ${type} = (...given: Given) => ${call}(${plain}, given);`;
  });
  return [
    "// Generated by scripts/generate-api.ts: the functions of the public API that arguments answer for: ragged ones (library/ragged/ragged-answers.ts) and",
    "// linear operators (library/linalg/operator-answers.ts). Some are applied to the elements of sparse tensors, too (ops/sparse/elements.ts).",
    "",
    'import { answered, type Given } from "../graph/composite.ts";',
    ...paths.map(path => `import * as ${aliasOf(path)} from "../${path}";`),
    'import { answeredForSparse, type OfSparse } from "../ops/sparse/elements.ts";',
    `import type { ${[...operatorTypes].sort().join(", ")} } from "../library/linalg/operator-answers.ts";`,
    'import type { Dispatched, Elementwise, OfShape, ShapeOf } from "../library/ragged/ragged-answers.ts";',
    "",
    ...lines,
    "",
  ].join("\n");
}

/** What the source says of an export. */
function commentOf(path: string, name: string): string {
  const text = readFileSync(source + path, "utf8");
  const pattern = new RegExp(`(/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\n)export (?:const|function) ${name}\\b`);
  return pattern.exec(text)?.[1] ?? "";
}

function rawOpsText(modules: readonly Module[]): string {
  const homes = new Map<string, { value: unknown; path: string }>();
  for (const { path, exports } of modules.filter(({ path }) => path === "graph/conversion.ts" || path.startsWith("ops/"))) {
    for (const [name, value] of Object.entries(exports)) {
      if (!isOp(value) || (value as { type: string }).type !== name) continue;
      const known = homes.get(name);
      if (known === undefined) homes.set(name, { value, path });
      else if (known.value !== value) console.error(`${name} is defined twice: in ${known.path} and in ${path}`);
    }
  }
  const byPath = Map.groupBy(homes, ([, { path }]) => path);
  const lines = [...byPath].map(([path, list]) => {
    const listed = list.map(([name]) => name).sort();
    return `export { ${listed.join(", ")} } from "../${path}";`;
  });
  const head =
    "// Generated by scripts/generate-api.ts: tf.rawOps, every op by TensorFlow's name. Called with one record of inputs and attributes.";
  return `${head}\n\n${lines.join("\n")}\n`;
}

// ---- src/compat/ ----

/** Our parameters: names of the fixed ones, whether the last holds options, the place of a callback. */
function parametersOf(value: unknown): { fixed: string[]; bodyIndex: number } {
  let text = Function.prototype.toString.call(value);
  if (/^class\b/.test(text)) {
    const parent: unknown = Object.getPrototypeOf(value);
    const start = /\bconstructor\s*\(/.exec(text);
    if (!start) return typeof parent === "function" && parent !== Function.prototype ? parametersOf(parent) : { fixed: [], bodyIndex: -1 };
    text = text.slice(start.index + "constructor".length);
  }
  const arrow = /^(?:async\s+)?([A-Za-z_$][\w$]*)\s*=>/.exec(text);
  const list = arrow ? [arrow[1]] : splitParameters(text.slice(text.indexOf("(") + 1));
  const parameterNames = list.map(parameter => /^(?:\.\.\.)?[\w$]+|^[{[]/.exec(parameter)?.[0] ?? "");
  const isFixed = (name: string): boolean => /^\w+$/.test(name) && !/^(?:options?|body|named|rest|given)$/.test(name);
  const fixed = parameterNames.slice(
    0,
    parameterNames.findIndex(name => !isFixed(name)) < 0 ? undefined : parameterNames.findIndex(name => !isFixed(name)),
  );
  const body = parameterNames.indexOf("body");
  const hidden = parameterNames.some(name => name.startsWith("...")) && /\bbody\b/.test(text) ? fixed.length : -1;
  return { fixed, bodyIndex: body >= 0 ? body : hidden };
}

/** The parameters of a function's source, from after its opening parenthesis. */
function splitParameters(text: string): string[] {
  const parameters: string[] = [];
  let depth = 0;
  let current = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"' || char === "'" || char === "`") {
      const end = text.indexOf(char, i + 1);
      current += text.slice(i, end + 1);
      i = end;
      continue;
    }
    if (depth === 0 && (char === "," || char === ")")) {
      if (current.trim() !== "") parameters.push(current.trim());
      current = "";
      if (char === ")") break;
      continue;
    }
    if ("([{".includes(char)) depth++;
    if (")]}".includes(char)) depth--;
    current += char;
  }
  return parameters;
}

/** A refusal of null without the name of the option. */
const nameless = (text: string, name: string): string => text.replaceAll(`'${name}'`, "'{}'").replaceAll(`\`${name}\``, "`{}`");

/** TensorFlow's words for options that are null, the most frequent first. */
const nullRefusals: readonly string[] = (() => {
  const counts = new Map<string, number>();
  for (const options of Object.values(nullRefusalsOf))
    for (const [name, text] of Object.entries(options)) counts.set(nameless(text, name), (counts.get(nameless(text, name)) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([text]) => text);
})();

/** A row of the table, in the form that compat/calls.ts reads. */
function signatureText(args: readonly Argument[], value: unknown, refused: Readonly<Record<string, string>> = {}): string {
  const plain = args.filter(({ rest, keywords }) => !rest && !keywords && true);
  const { fixed, bodyIndex } = parametersOf(value);
  const body = bodyIndex < 0 ? "" : `+${bodyIndex}`;
  if (args.some(({ rest }) => rest) || (plain.length === 0 && args.length > 0)) return "*";
  const required = plain.filter(arg => !("default" in arg)).length;
  const positional = fixed.map((name, i) => {
    const byName = plain.findIndex(arg => camelOf(arg.name) === name);
    return byName >= 0 ? byName : i;
  });
  while (positional.length > 0 && positional.at(-1)! >= plain.length) positional.pop();
  for (let i = 0; i < required; i++) if (!positional.includes(i)) positional.push(i);
  const isPrefix = positional.every((at, i) => at === i);
  const head = isPrefix ? String(positional.length) : positional.length === 1 ? `${positional[0]},` : positional.join(",");
  const refusal = (name: string): number | "" => (name in refused ? nullRefusals.indexOf(nameless(refused[name], name)) : "");
  const words = plain.map(arg => `${arg.name}${!("default" in arg) ? "" : arg.default === null ? "?" : `=${refusal(arg.name)}`}`);
  return [`${head}${body}`, ...words].join(" ");
}

/** Where methods are found: an object and those behind it, but for JavaScript's own. */
function chainOf(first: object | undefined): object[] {
  const chain: object[] = [];
  for (let each = first; each && each !== Object.prototype && each !== Function.prototype; each = Object.getPrototypeOf(each))
    chain.push(each);
  return chain;
}

/** The arguments of a layer's class with those that its `**kwargs` hands on to every layer. */
function ofLayer(args: readonly Argument[] | undefined): readonly Argument[] | undefined {
  if (!args?.some(({ keywords }) => keywords)) return args;
  const common: readonly Argument[] = [
    { name: "trainable", default: true },
    { name: "name", default: null },
    { name: "dtype", default: null },
  ];
  return [...args, ...common.filter(({ name }) => args.every(arg => arg.name !== name))];
}

function collectSignatures(namespaces: ReadonlyMap<string, Namespace>): Map<string, string> {
  const rows = new Map<string, string>();
  const methods = new Set<unknown>();
  for (const [namespace, { members }] of [...namespaces].sort()) {
    for (const [leaf, { module, name }] of [...members].sort()) {
      const path = namespace === "" ? leaf : `${namespace}.${leaf}`;
      const value = module.exports[name];
      const entry = names[path];
      if (typeof value !== "function") continue;
      const args = tuples[leaf] ?? (namespace === "layers" && entry.kind === "class" ? ofLayer(entry.args) : entry.args);
      const known = (aliasGroups.get(path) ?? [path]).find(alias => alias in nullRefusalsOf);
      if (args) rows.set(path, signatureText(args, value, known === undefined ? {} : nullRefusalsOf[known]));
      for (const holder of [...chainOf((value as { prototype?: object }).prototype), ...chainOf(value)]) {
        for (const [method, args] of Object.entries(entry.methods ?? {})) {
          const own = Object.getOwnPropertyDescriptor(holder, camelOf(method))?.value as unknown;
          if (typeof own !== "function" || args === null || methods.has(own)) continue;
          methods.add(own);
          rows.set(`${path}.${method}`, signatureText(args, own, nullRefusalsOf[`${path}.${method}`]));
        }
      }
    }
  }
  // TensorFlow's errors are made of a node, an operation and a message.
  for (const [name, value] of Object.entries(errors))
    if (typeof value === "function" && value.prototype instanceof errors.OpError) rows.set(`errors.${name}`, "2,1 node_def op message");
  rows.set("OpError", "2,1 node_def op message error_code?");
  return rows;
}

function signaturesText(rows: ReadonlyMap<string, string>): string {
  const lines = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, row]) => `  "${path}": "${row}",`);
  return [
    "// Generated by scripts/generate-api.ts: TensorFlow's argument order of every function, class and method of the API. How to read a row: calls.ts.",
    "",
    "export const signatures: Readonly<Record<string, string>> = {",
    ...lines,
    "};",
    "",
    "/** What TensorFlow says of None; `{}` stands for the option's name. */",
    "export const nullRefusals: readonly string[] = [",
    ...nullRefusals.map(text => `  ${JSON.stringify(text)},`),
    "];",
    "",
  ].join("\n");
}

const reserved = new Set([
  "case",
  "function",
  "import",
  "export",
  "class",
  "new",
  "delete",
  "while",
  "for",
  "in",
  "if",
  "do",
  "var",
  "let",
  "const",
  "with",
  "switch",
  "return",
  "typeof",
  "void",
  "null",
  "true",
  "false",
  "default",
  "enum",
  "super",
  "this",
  "throw",
  "try",
  "yield",
  "await",
  "static",
]);

/** The types of a namespace's classes, and of those in the namespaces inside it. */
function typeLines(namespace: object, path: string): string[] {
  return Object.entries(namespace).flatMap(([name, value]: [string, unknown]): string[] => {
    if (typeof value === "function" && /^class\b/.test(String(value))) {
      return [`export type ${name} = Instance<typeof ${path}.${name}>;`];
    }
    if (typeof value !== "object" || value === null || value instanceof Map || Array.isArray(value)) return [];
    const inner = typeLines(value, `${path}.${name}`);
    return inner.length === 0 ? [] : [`export ${path === "api" ? "declare " : ""}namespace ${snakeOf(name)} {`, ...inner, "}"];
  });
}

async function namesText(): Promise<string> {
  const api: object = await import(`${pathToFileURL(source).href}index.ts`);
  const lines = [
    '// Generated by scripts/generate-api.ts: the door\'s members one by one, for `import * as tf from "tensorloom/compat"`.',
    "",
    'import type * as api from "../index.ts";',
    'import { tf } from "./door.ts";',
    'import type { Instance } from "./snake-api.ts";',
    "",
    "type Tf = typeof tf;",
    "",
  ];
  for (const name of Object.keys(api).map(snakeOf).sort()) {
    if (reserved.has(name)) lines.push(`const ${name}_: Tf["${name}"] = tf.${name};`, `export { ${name}_ as ${name} };`);
    else lines.push(`export const ${name}: Tf["${name}"] = tf.${name};`);
  }
  lines.push("", "// Classes are types too: `const x: tf.Tensor`.", ...typeLines(api, "api"));
  return `${lines.join("\n")}\n`;
}

// ---- writing ----

const isCheck = process.argv.includes("--check");
const stale: string[] = [];

/** As the house's formatter lays it out, so that formatting changes nothing. */
const formatted = (path: string, text: string): string =>
  execFileSync(process.execPath, [biome, "format", `--stdin-file-path=${path}`], { input: text, encoding: "utf8", stdio: "pipe" });
const biome = fileURLToPath(new URL("../node_modules/@biomejs/biome/bin/biome", import.meta.url));

function put(file: string, plain: string): void {
  const path = source + file;
  const text = formatted(path, plain);
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  stale.push(`src/${file}`);
  if (isCheck) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const modules = await loadModules();
// Methods that the doors attach have argument orders as well.
const { attachMethods } = (await import(`${pathToFileURL(source).href}index/methods.ts`)) as { attachMethods: () => void };
attachMethods();
const { attachMembers } = (await import(`${pathToFileURL(source).href}compat/python-members.ts`)) as { attachMembers: () => void };
attachMembers();
const namespaces = collectNamespaces(modules);
const { raggedAnswers, answerKind } = (await import(`${pathToFileURL(source).href}library/ragged/ragged-answers.ts`)) as {
  raggedAnswers: () => ReadonlyMap<never, unknown>;
  answerKind: (plain: never) => string;
};
const answers = raggedAnswers();
const { functionsOfSparse } = (await import(`${pathToFileURL(source).href}ops/sparse/elements.ts`)) as { functionsOfSparse: () => never[] };
const sparse = new Set(functionsOfSparse());
const { operatorAnswers } = (await import(`${pathToFileURL(source).href}library/linalg/operator-answers.ts`)) as {
  operatorAnswers: () => ReadonlyMap<never, { readonly type: string }>;
};
const operators = operatorAnswers();
put("index/dispatching.ts", dispatchingText(namespaces));
const files = new Set([...namespaces.keys()].map(fileOf).concat("index/raw-ops.ts"));
for (const [path, namespace] of namespaces) put(fileOf(path), namespaceText(path, namespace));
put("index/raw-ops.ts", rawOpsText(modules));
const kept = new Set(["index/methods.ts", "index/dispatching.ts"]);
for (const file of existsSync(`${source}index`) ? (readdirSync(`${source}index`) as string[]).map(name => `index/${name}`) : []) {
  if (files.has(file) || kept.has(file)) continue;
  stale.push(`src/${file}`);
  if (!isCheck) rmSync(source + file);
}
put("compat/signatures.ts", signaturesText(collectSignatures(namespaces)));
try {
  put("compat/names.ts", await namesText());
} catch (error) {
  console.error(`src/index.ts does not load: ${(error as Error).message.split("\n")[0]}`);
  process.exitCode = 1;
}

const count = [...namespaces.values()].reduce((sum, { members }) => sum + members.size, 0);
console.log(`${count} public names in ${namespaces.size} namespaces`);
if (stale.length > 0) console.log(`${isCheck ? "stale" : "written"}: ${stale.join(", ")}`);
if (isCheck && stale.length > 0) process.exitCode = 1;
