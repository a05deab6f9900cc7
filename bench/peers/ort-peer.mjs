// ONNX Runtime, for Node or the Web (wasm), on those workloads of bench/README.md that only infer. The third argument says which.

import { readFileSync } from "node:fs";
import { cnnModel, convolutionModel, mobileNetModel, productModel } from "./onnx.mjs";
import { imported, installedFile, normal, serve, threads, versionOf } from "./protocol.mjs";

const isWeb = process.argv[4] === "web";
const name = isWeb ? "onnxruntime-web" : "onnxruntime-node";
const ort = await imported(name);
if (isWeb) {
  ort.env.wasm.numThreads = threads;
  const dist = new URL(`file://${installedFile("onnxruntime-web/dist/")}`);
  ort.env.wasm.wasmPaths = { mjs: `${dist}ort-wasm-simd-threaded.mjs`, wasm: `${dist}ort-wasm-simd-threaded.wasm` };
  // With threads it fetches its own files, which Node's fetch does not do for file URLs.
  const fetched = globalThis.fetch;
  globalThis.fetch = async (url, options) => {
    if (!String(url).startsWith("file:")) return fetched(url, options);
    const type = String(url).endsWith(".wasm") ? "application/wasm" : "text/javascript";
    return new Response(readFileSync(new URL(String(url))), { headers: { "content-type": type } });
  };
}
const options = {
  executionProviders: [isWeb ? "wasm" : "cpu"],
  graphOptimizationLevel: "all",
  ...(!isWeb && { intraOpNumThreads: threads, interOpNumThreads: 1 }),
};

async function inferred(model, shape) {
  const session = await ort.InferenceSession.create(new Uint8Array(model), options);
  const x = normal(shape);
  return async () => (await session.run({ x: new ort.Tensor("float32", x, shape) })).y.data;
}

const workloads = { W8_mnv2_B1: () => inferred(mobileNetModel(), [1, 3, 224, 224]) };
for (const batch of [1, 100]) workloads[`W1i_B${batch}`] = () => inferred(cnnModel(batch), [batch, 1, 28, 28]);
for (const n of [512, 1024, 2048]) workloads[`W4_gemm_${n}`] = () => inferred(productModel(n), [n, n]);
for (const [kind, channels] of [
  ["conv3", 64],
  ["conv1", 256],
  ["dw3", 144],
])
  workloads[`W4_${kind}_fwd`] = () => inferred(convolutionModel(kind), [8, channels, 56, 56]);

await serve(versionOf(name), workloads);
