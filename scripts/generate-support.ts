// `node scripts/generate-support.ts [--check]`: writes docs/support.md from the definitions of the ops and from the compat door, beside TensorFlow's own
// lists of ops, gradients and public names (test/parity/spec). --check: only says whether the file is stale.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dtypeTable } from "../src/base/dtype.ts";
import { missingMembers } from "../src/compat/missing-members.ts";
import { tf } from "../src/compat.ts";
import type { OpDefinition } from "../src/graph/op-definition.ts";
import { SymbolicGradient } from "../src/library/symbolic-gradient.ts";
import { reasonAgainst } from "../src/io/absent-ops.ts";
import { isControlFlow } from "../src/ops/flow/control-flow.ts";
import { allOps } from "../src/ops/registry.ts";
import { loadSpec } from "../test/parity/golden.ts";

const file = fileURLToPath(new URL("../docs/support.md", import.meta.url));
const { ops } = loadSpec("op-defs") as { readonly ops: readonly { readonly name: string }[] };
const { A, B } = loadSpec("tiers") as { readonly A: readonly string[]; readonly B: readonly string[] };
const { names } = loadSpec("public-names") as { readonly names: Readonly<Record<string, { readonly kind: string }>> };
const tiers = new Map([...B.map(name => [name, "B"] as const), ...A.map(name => [name, "A"] as const)]);
const tierOf = (name: string): string => tiers.get(name) ?? "C";

// ---- ops ----

const short: Readonly<Record<string, string>> = { float: "f", bfloat: "bf", int: "i", uint: "u", complex: "c" };
const shortType = (dtype: string): string => dtype.replace(/^(float|bfloat|int|uint|complex)(?=\d)/, word => short[word]);

/** The types of the attributes that inputs and outputs have, each as a list; "any" for all. */
function typesOf({ attrs, inputs, outputs }: OpDefinition): string {
  const specs = [...Object.values(inputs), ...Object.values(outputs)].join(" ");
  const texts = Object.entries(attrs)
    .filter(([name, { kind }]) => kind === "type" && new RegExp(`\\b${name}\\b`).test(specs))
    .map(([name, { allowed }]) => {
      const list = allowed as readonly string[] | undefined;
      return `${name}: ${list === undefined || list.length >= Object.keys(dtypeTable).length ? "any" : list.map(shortType).join(" ")}`;
    });
  return texts.join("; ") || "fixed";
}

const gradientOf = ({ gradient }: OpDefinition): string =>
  typeof gradient === "function" ? "yes" : gradient === "none" ? "none, as TensorFlow" : "refused, as TensorFlow";

function runsOf(op: OpDefinition): string {
  if (op.lower !== undefined || op.expand !== undefined || isControlFlow(op)) return "wasm, reference";
  if (op.isPlaceholder) return "takes what is fed";
  return op.host !== undefined || op.resource !== undefined ? "on the host, between kernels" : "builds and exports only";
}

const ours = new Map([...allOps(), SymbolicGradient].map(op => [op.type, op]));
const row = (op: OpDefinition): string => `| ${op.type} | ${tierOf(op.type)} | ${gradientOf(op)} | ${runsOf(op)} | ${typesOf(op)} |`;
const have = ops.filter(({ name }) => ours.has(name)).map(({ name }) => row(ours.get(name) as OpDefinition));
const testOps = "an op of TensorFlow's own tests";
/** What is not there, by the reason. */
const absent = Map.groupBy(
  ops.filter(({ name }) => !ours.has(name)).map(({ name }) => name),
  name => reasonAgainst(name) ?? testOps,
);
const missing = (tier: string): string[] => ops.filter(({ name }) => !ours.has(name) && tierOf(name) === tier).map(({ name }) => name);

// ---- public names ----

function isThere(path: string): boolean {
  let value: unknown = tf;
  for (const part of path.split(".")) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || !(part in value)) return false;
    value = (value as Record<string, unknown>)[part];
  }
  return value !== undefined;
}

const paths = Object.keys(names).sort();
const present = paths.filter(isThere);
const spaceOf = (path: string): string => path.split(".").slice(0, -1).join(".") || "tf";

function nameRows(): string[] {
  const spaces = [...new Set(paths.map(spaceOf))].sort((a, b) => (a === "tf" ? -1 : b === "tf" ? 1 : a < b ? -1 : 1));
  return spaces.map(space => {
    const inside = paths.filter(path => spaceOf(path) === space);
    const leaf = (path: string): string => path.slice(path.lastIndexOf(".") + 1);
    const yes = inside.filter(path => present.includes(path)).map(leaf);
    const no = inside.filter(path => !present.includes(path)).map(leaf);
    return `| ${space} | ${yes.join(" ") || "–"} | ${no.join(" ") || "–"} |`;
  });
}

/** Why a name is not there; the first that fits counts. A name without a reason fails the generator. */
const reasons: readonly (readonly [names: RegExp, reason: string])[] = [
  [/^(CXX11_ABI_FLAG|CXX_VERSION|MONOLITHIC_BUILD)$/, "They tell how a C++ library was built; there is none."],
  [
    /load_(file_system_|op_)?library$/,
    "They load machine code into the process. An op of one's own is a function of ops, or `tf.py_func`.",
  ],
  [
    /^GradientTape$|NumpyIterator|^config.experimental_connect|ClusterDeviceFilters|get_model_proto/,
    "They belong to eager execution; this is the graph API.",
  ],
  [
    /^(conv2d_backprop_(filter|input)_v2|check_pinned)$|generate_bounding_box_proposals/,
    "TensorFlow itself has no kernel of these for the CPU.",
  ],
  [/fftnd$/, "Their ops (FFTND and the like) are not written; `tf.signal.fft3d` and the others take one to three dimensions."],
  [/^LMDBReader$|SqlDataset/, "They read LMDB and SQLite files, whose libraries the package does not bring."],
  [/decode_(jxl|webp)$/, "They decode JPEG XL and WebP, whose codecs the package does not bring."],
  [/^dtypes.experimental/, "Numbers of two, four and eight bits have no arithmetic in TensorFlow's CPU kernels either."],
  [/^data.experimental.(service|distributed_save)/, "They need servers of the tf.data service."],
  [
    /data.experimental.(snapshot|make_saveable_from_iterator)/,
    "Where an iterator stands is not written to files; `dataset.cache(filename)` keeps elements.",
  ],
  [/^debugging/, "They instrument eager functions and write the debugger's dump format; `tf.add_check_numerics_ops` checks a graph."],
  [/raise_exception_on_not_ok_status/, "It turns a C status into an exception; there is no such status."],
  [/^layers.experimental/, "They switch tf.layers to Keras' naming, which is for programs that mix the two."],
  [/^quantization.experimental|do_quantize_training/, "They rewrite graphs by C++ passes for mobile converters."],
  [
    /^saved_model/,
    "They save and load TensorFlow 2's objects; `tf.saved_model.simple_save`, `Builder` and `loader.load` write and read version 1's.",
  ],
  [/^summary.initialize$/, "It starts TensorFlow 2's summary writer; `tf.summary.FileWriter` is version 1's."],
  [/^train.Server$/, "A server of a cluster needs gRPC, which is not part of this version."],
  [
    /^train.experimental/,
    "They cut checkpoints of several servers into files, or keep a Python object in one; a checkpoint here is one file of variables.",
  ],
  [/^types.experimental/, "They are types for Python's checkers; TypeScript has `TensorLike`."],
];

function reasonRows(): string[] {
  const missing = paths.filter(path => !present.includes(path));
  const reasonOf = (path: string): string => {
    const found = reasons.find(([names]) => names.test(path));
    if (found === undefined) throw new Error(`Nothing says why tf.${path} is not there.`);
    return found[1];
  };
  const all = [...new Set(missing.map(reasonOf))];
  return all.map(reason => `| ${missing.filter(path => reasonOf(path) === reason).join(" ")} | ${reason} |`);
}

// ---- members of classes ----

const members = loadSpec("class-members") as Readonly<Record<string, Readonly<Record<string, string>>>>;

function memberRows(): string[] {
  return missingMembers.map(({ of, members: names, instead }) => {
    const list = names.split(" ");
    const classes = Object.keys(members).filter(path => of.test(path) && list.some(name => name in members[path]));
    const shown = classes.length > 6 ? `${classes.slice(0, 5).join(", ")} and ${classes.length - 5} more` : classes.join(", ");
    return `| ${shown} | ${list.join(" ")} | ${instead.replaceAll("|", "\\|")} |`;
  });
}

const text = `# What there is

Generated by \`node scripts/generate-support.ts\` from the definitions themselves; a test keeps it fresh. TensorFlow's side is recorded from 2.21.

## Ops

${have.length} of TensorFlow's ${ops.length} ops. An op that is not here is refused by its name when a graph is built or imported.

- **Tier**: how soon a program of TensorFlow 1 needs it: A for plain networks, B for the common kinds of larger models, C for the rest.
- **Gradient**: "yes" is made of ops; "none, as TensorFlow" gives null; "refused, as TensorFlow" raises LookupError.
- **Runs**: every op with kernels runs on the default backend (WebAssembly) and on the reference backend. Strings, complex numbers, linear algebra and
  codecs are computed on the host from inside the module's run.
- **Types**: what each type attribute may be; f32 is float32, c64 complex64.

| op | tier | gradient | runs | types |
|---|---|---|---|---|
${have.join("\n")}

### Not there

Tier A: ${missing("A").join(", ") || "none missing"}.

Tier B: ${missing("B").join(", ") || "none missing"}.

| ops of tier C | why |
|---|---|
${[...absent]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([why, names]) => `| ${names.join(" ")} | ${why} |`)
  .join("\n")}

## Public names

${present.length} of the ${paths.length} public names of tf.compat.v1 are in the compat door, each with its full signature; the camelCase door has the same ones.

| namespace | there | not there |
|---|---|---|
${nameRows().join("\n")}

Why the others are not there:

| names | reason |
|---|---|
${reasonRows().join("\n")}

## Members of classes

${Object.keys(members).length} classes of tf.compat.v1 and of what its functions make have ${Object.values(members).flatMap(Object.keys).length} methods, properties and constants. Those of the classes that are here are
here too, but for these; the compat door answers with what to do.

| classes | not there | instead |
|---|---|---|
${memberRows().join("\n")}
`;

if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== text) {
    console.error("docs/support.md is stale: run `node scripts/generate-support.ts`.");
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, text);
  console.log(`${have.length} of ${ops.length} ops, ${present.length} of ${paths.length} public names: written to docs/support.md`);
}
