// `node scripts/pack-graphs.ts FOLDER`: packs what test/journeys/graphs/recording.py left in a folder into test/journeys/graphs/data.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const [folder] = process.argv.slice(2);
const data = fileURLToPath(new URL("../test/journeys/graphs/data/", import.meta.url));
mkdirSync(data, { recursive: true });
for (const file of readdirSync(folder).filter(name => name.endsWith(".json"))) {
  const name = file.replace(".json", "");
  const runs = readFileSync(`${folder}/${file}`);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(runs.length);
  const bytes = Buffer.concat([length, runs, readFileSync(`${folder}/${name}.pb`)]);
  const packed = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  writeFileSync(`${data}${name}.br`, packed);
  console.log(`${name.padEnd(28)} ${String(bytes.length).padStart(9)} → ${String(packed.length).padStart(8)} bytes`);
}
