// `node scripts/pack-golden.ts cases DIR`: packs a directory of golden cases (as test/parity/generate writes them) into test/parity/data.
// `node scripts/pack-golden.ts more DIR`: adds its cases to those that are there; a case that is there already is recorded anew.
// `node scripts/pack-golden.ts spec FILE.json …`: packs recorded facts about TensorFlow (public names, op names, random numbers) into test/parity/spec.
// Brotli with a window as large as a family: 1.7 MB for the first 4,921 cases, where gzip takes 3.1 MB.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { type Family, familyBytes, familyNames, type GoldenCase, loadFamily, packedBytes } from "../test/parity/golden.ts";

const parity = fileURLToPath(new URL("../test/parity/", import.meta.url));

function pack(name: string, bytes: Buffer): number {
  const packed = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  writeFileSync(`${parity}${name}.br`, packed);
  console.log(`${name.padEnd(28)} ${String(bytes.length).padStart(9)} → ${String(packed.length).padStart(8)} bytes`);
  return packed.length;
}

function packCases(directory: string, isAdded: boolean): void {
  if (!isAdded) rmSync(`${parity}data`, { recursive: true, force: true });
  mkdirSync(`${parity}data`, { recursive: true });
  const there = new Set(familyNames(null));
  const sizes = familyNames(directory).map(name => {
    const bytes = there.has(name) ? joined(loadFamily(null, name), loadFamily(directory, name)) : familyBytes(directory, name);
    return pack(`data/${name}`, packedBytes(bytes));
  });
  console.log(`${sizes.reduce((sum, size) => sum + size, 0)} bytes in all`);
}

/** What is asked in a case, whatever its number. */
const questionOf = ({ kind, python_call, tags }: GoldenCase): string => JSON.stringify([kind, python_call, tags]);

/** The cases of both, numbered on; arrays of the second lie behind those of the first. */
function joined(first: Family, second: Family): { cases: Buffer; blob: Buffer } {
  const asked = new Set(second.cases.map(questionOf));
  const kept = first.cases.filter(each => !asked.has(questionOf(each)));
  const taken = new Set(kept.map(({ id }) => id));
  const more = second.cases.map((each, i) => ({ ...each, id: taken.has(each.id) ? `${second.name}/${first.cases.length + i}` : each.id }));
  const moved = JSON.stringify(more, (_, value: unknown) =>
    typeof value === "object" && value !== null && "dtype" in value && "offset" in value && typeof value.offset === "number"
      ? { ...value, offset: value.offset + first.blob.length }
      : value,
  );
  const cases = [...kept, ...(JSON.parse(moved) as GoldenCase[])];
  return { cases: Buffer.from(JSON.stringify(cases)), blob: Buffer.concat([first.blob, second.blob]) };
}

function packSpec(files: readonly string[]): void {
  mkdirSync(`${parity}spec`, { recursive: true });
  // Python writes bare Infinity and NaN, which JSON does not know.
  const plain = (text: string): unknown => JSON.parse(text.replace(/([:,[]\s*)(-?Infinity|NaN)/g, '$1"$2"'));
  for (const file of files) pack(`spec/${basename(file)}`, Buffer.from(JSON.stringify(plain(readFileSync(file, "utf8")))));
}

const [what, ...paths] = process.argv.slice(2);
if ((what === "cases" || what === "more") && paths.length === 1) packCases(paths[0], what === "more");
else if (what === "spec" && paths.length > 0) packSpec(paths);
else {
  console.error("usage: node scripts/pack-golden.ts cases DIR | more DIR | spec FILE.json …");
  process.exitCode = 2;
}
