// Saves checkpoint after checkpoint until it is killed: what interrupted-save.test.ts ends at random moments. Arguments: folder, first step,
// and "same" to save under one name again and again.
import { NDArray } from "../../src/base/ndarray.ts";
import { writeBundle } from "../../src/formats/bundle.ts";
import { writeCheckpointState } from "../../src/formats/checkpoint.ts";
import { files } from "../../src/platform/node.ts";

const [folder, first, kind] = process.argv.slice(2);
for (let step = Number(first); ; step++) {
  const path = `${folder}/${kind === "same" ? "model" : `model-${step}`}`;
  const tensors = ["a", "b", "c"].map((name, i) => ({ name, value: NDArray.full("float32", [20_000 * (i + 1)], step) }));
  await writeBundle(files, path, tensors);
  await writeCheckpointState(files, folder, path);
  if (step === Number(first)) process.stdout.write("saved");
}
