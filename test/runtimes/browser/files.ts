// What a page does with TensorFlow's files, by the door that has no graph: writes into the origin's private file system and reads it again, reads
// Blobs as a file input gives them, and the body of a response.
import {
  CheckpointReader,
  files,
  MemoryFiles,
  messageFromBytes,
  messageToBytes,
  NDArray,
  npyFromArray,
  npyToArray,
  type OpError,
  readFile,
  readRecords,
  RecordWriter,
  writeBundle,
} from "tensorloom/formats";

const weights = [
  [1.5, -2],
  [3, 0.25],
];

async function read(from: Parameters<typeof CheckpointReader.open>[0], prefix: string, slice?: string): Promise<unknown> {
  const reader = await CheckpointReader.open(from, prefix);
  const value = (await reader.getTensor("w", slice)).toArray();
  await reader.close();
  return value;
}

/** The code of the error; names of classes do not survive a bundler. */
const errorOf = (work: Promise<unknown>): Promise<number | string> =>
  work.then(
    () => "no error",
    (error: OpError) => error.code ?? String(error),
  );

/** Everything that was read back, by where it came from. */
export async function useFiles() {
  const prefix = "run/model-1";
  await files.removeFolder("run");
  await files.makeFolder("run");
  await writeBundle(files, prefix, [{ name: "w", value: NDArray.from([[0]], "float32") }]);
  // Over the old one, as training does.
  await writeBundle(files, prefix, [
    { name: "w", value: NDArray.from(weights, "float32") },
    { name: "text", value: NDArray.from(["über"], "string") },
  ]);
  const stored = await read(files, prefix);
  const names = await files.list("run");
  const blobs = await Promise.all(
    names.map(async name => [`picked/${name}`, new Blob([Uint8Array.from(await readFile(files, `run/${name}`))])] as const),
  );
  const picked = new MemoryFiles(Object.fromEntries(blobs));
  const cut = new MemoryFiles(Object.fromEntries(blobs.map(([name, blob]) => [name, blob.slice(0, blob.size - 1)])));

  const writer = new RecordWriter(files, "run/a.tfrecord", "GZIP");
  for (const value of [1, 2, 3])
    writer.write(messageToBytes("Example", { features: { feature: new Map([["x", { floatList: { value: [value] } }]]) } }));
  await writer.close();
  const records: unknown[] = [];
  for await (const record of readRecords(await files.open("run/a.tfrecord"), "GZIP"))
    records.push(messageFromBytes("Example", record).features?.feature.get("x")?.floatList?.value[0]);

  const address = URL.createObjectURL(new Blob([Uint8Array.from(npyFromArray(NDArray.from(weights, "float32")))]));
  const response = await fetch(address);
  const fetched = npyToArray(new Uint8Array(await response.arrayBuffer())).toArray();
  const result = {
    stored,
    files: names.length,
    picked: await read(picked, "picked/model-1", "2 2 1,1:0,2"),
    cut: await errorOf(read(cut, "picked/model-1")),
    missing: await errorOf(read(files, "run/nothing")),
    above: await errorOf(files.write("../outside", [new Uint8Array(1)])),
    records,
    fetched,
  };
  await files.removeFolder("run");
  return { ...result, left: await files.status("run") };
}

export type Used = Awaited<ReturnType<typeof useFiles>>;
