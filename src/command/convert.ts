// `tensorloom freeze` and `tensorloom convert`: a model of any kind in, one of another kind out.

import { files } from "#platform";
import { AlreadyExistsError, InvalidArgumentError, NotFoundError } from "../base/errors.ts";
import { fileNameOf, folderOf, joinPath, readFile } from "../base/files.ts";
import { NDArray } from "../base/ndarray.ts";
import { createMessage } from "../formats/message-codec.ts";
import { arrayToMessage } from "../formats/tensor-message.ts";
import { GraphKeys } from "../library/variables/graph-keys.ts";
import { exportGraphDef, type GraphDefMessage } from "../io/graph-def.ts";
import { convertVariablesToConstants } from "../io/graph-utilities.ts";
import { exportMetaGraph } from "../io/meta-graph-files.ts";
import { writeMessageFile } from "../io/message-files.ts";
import { buildTensorInfo, type SignatureMessage } from "../io/saved-model.ts";
import { SavedModelBuilder } from "../io/saved-model-builder.ts";
import { Saver } from "../io/saver.ts";
import { writeTfjsGraphModel } from "../io/tfjs-graph-model-writer.ts";
import type { Tensor } from "../graph/operation.ts";
import { bytesText, print, printJson, section } from "./layout.ts";
import { assetFolder, assetsOf, initializerOf, listStates, refuseTables } from "./loaded-model.ts";
import { nameOfKind, type OpenModel, openModel } from "./models.ts";
import { modelOptions } from "./run.ts";
import { chosenSignature, endsOf } from "./signatures.ts";
import { type TargetKind, targetKindOf } from "./target-kind.ts";
import type { Given } from "./words.ts";

export const freezeModel = (given: Given): Promise<void> => convertTo("frozen", given);
export const convertModel = (given: Given): Promise<void> =>
  convertTo((given.text("to") as TargetKind | undefined) ?? targetKindOf(given.words[1]), given);

async function convertTo(kind: TargetKind, given: Given): Promise<void> {
  const [from, path] = given.words;
  const model = await openModel(from, modelOptions(given));
  const written = await writers[kind](model, path.replace(/[/\\]+$/, ""), given);
  await model.session.close();
  const sizes = await Promise.all(written.map(async file => ({ file, bytes: (await files.status(file))?.size ?? 0 })));
  if (given.has("json")) return printJson({ from: model.file.path, kind, written: sizes });
  const shown: Readonly<Record<TargetKind, string>> = { ...nameOfKind, frozen: "a frozen graph" };
  print(
    ...section(
      `${model.file.path} is now ${shown[kind]}`,
      sizes.map(({ file, bytes }) => [file, bytesText(bytes)]),
    ),
  );
}

const writers: Readonly<Record<TargetKind, (model: OpenModel, path: string, given: Given) => Promise<readonly string[]>>> = {
  frozen: async (model, path, given) => {
    const { graphDef } = await frozen(model, given);
    await files.makeFolder(folderOf(path));
    await writeMessageFile("GraphDef", path, graphDef);
    return [path];
  },
  tfjs: async (model, given, flags) => {
    const path = given.endsWith(".json") ? given : `${given}/model.json`;
    const { graphDef, signature } = await frozen(model, flags);
    await writeTfjsGraphModel(path, graphDef, signature);
    return filesBeside(path);
  },
  "saved-model": async (model, path) => {
    if ((await files.list(path)).length > 0) throw new AlreadyExistsError(`The folder ${path} exists and is not empty.`);
    await listStates(model);
    const assetPaths = assetsOf(model);
    const builder = new SavedModelBuilder(path);
    await builder.addMetaGraphAndVariables(model.session, ["serve"], {
      signatureDefMap: Object.fromEntries(publicSignatures(model)),
      clearDevices: true,
      mainOp: initializerOf(model),
      assetsCollection: [...assetPaths.keys()],
      assetPaths,
    });
    await builder.save();
    return filesUnder(path);
  },
  "meta-graph": async (model, given) => {
    const { graph, session } = model;
    const path = given.endsWith(".meta") ? given : `${given}.meta`;
    const prefix = path.slice(0, -".meta".length);
    await files.makeFolder(folderOf(path));
    await listStates(model);
    const initializer = initializerOf(model);
    if (initializer && graph.getCollection(GraphKeys.TABLE_INITIALIZERS).length === 0)
      graph.addToCollection(GraphKeys.TABLE_INITIALIZERS, initializer);
    const paths = assetsOf(model);
    if (graph.getCollection(GraphKeys.ASSET_FILEPATHS).length === 0)
      for (const tensor of paths.keys()) graph.addToCollection(GraphKeys.ASSET_FILEPATHS, tensor);
    const assets = await copiedAssets(paths, assetFolder(path));
    const saver = graph.asDefault(() => new Saver(null, { allowEmpty: true }));
    const isSaved = (await saver.save(session, prefix, { writeState: false, writeMetaGraph: false })) !== null;
    const message = isSaved
      ? await saver.exportMetaGraph({ graph, clearDevices: true })
      : await exportMetaGraph({ graph, clearDevices: true });
    await writeMessageFile("MetaGraphDef", path, {
      ...message,
      signatureDef: publicSignatures(model),
      graphDef: withPaths(message.graphDef, assets),
    });
    return [...(isSaved ? await filesBeside(path, prefix) : [path]), ...new Set(assets.values())];
  },
};

/** Those that are not for the loader. */
const publicSignatures = ({ signatures }: OpenModel): Map<string, SignatureMessage> =>
  new Map([...signatures].filter(([key]) => !key.startsWith("__")));

/** Copies files into a folder; where they are then, by the operation that holds the path. */
async function copiedAssets(assets: ReadonlyMap<Tensor, string>, folder: string): Promise<Map<string, string>> {
  const copies = new Map<string, string>();
  if (assets.size === 0) return copies;
  await files.makeFolder(folder);
  for (const [tensor, from] of assets) {
    const to = joinPath(folder, fileNameOf(from));
    await files.write(to, [await readFile(files, from)]);
    copies.set(tensor.op.name, to);
  }
  return copies;
}

/** The graph with constants for what holds paths: the constants of other paths, or placeholders. */
function withPaths(graphDef: GraphDefMessage | undefined, paths: ReadonlyMap<string, string>): GraphDefMessage | undefined {
  if (!graphDef || paths.size === 0) return graphDef;
  const node = graphDef.node.map(each => {
    const path = paths.get(each.name);
    if (path === undefined) return each;
    const attr = new Map([
      ["dtype", createMessage("AttrValue", { type: "DT_STRING" })],
      ["value", createMessage("AttrValue", { tensor: arrayToMessage(NDArray.from(path)) })],
    ]);
    return { ...each, op: "Const", attr };
  });
  return { ...graphDef, node };
}

/** The part of a model that its outputs need, with constants for variables; and the signature that is left of it. */
async function frozen(model: OpenModel, given: Given): Promise<{ graphDef: GraphDefMessage; signature: SignatureMessage }> {
  const { graph, session, signatures } = model;
  const named = given.text("outputs")?.split(",");
  const [, signature] = chosenSignature(signatures, given.text("signature"));
  const nodes = (named ?? endsOf(signature.outputs).map(({ tensor }) => tensor)).map(name => name.replace(/:\d+$/, ""));
  if (nodes.length === 0) throw new InvalidArgumentError("The model says of no output; name some with --outputs.");
  for (const name of nodes) if (!graph.findOperation(name)) throw new NotFoundError(`The model has no operation '${name}'.`);
  const graphDef = await convertVariablesToConstants(session, exportGraphDef(graph), [...new Set(nodes)]);
  refuseTables(graphDef, model.file.path);
  const kept = new Set(graphDef.node.map(({ name }) => name));
  const outputs = named
    ? new Map(named.map(name => [name, buildTensorInfo(graph.getTensorByName(name.includes(":") ? name : `${name}:0`))]))
    : signature.outputs;
  const only = <T extends { readonly name: string | undefined }>(infos: ReadonlyMap<string, T>): Map<string, T> =>
    new Map([...infos].filter(([, { name = "" }]) => kept.has(name.replace(/:\d+$/, ""))));
  return { graphDef, signature: { ...signature, inputs: only(signature.inputs), outputs: only(outputs) } };
}

async function filesUnder(folder: string): Promise<string[]> {
  const names = await files.list(folder);
  const found = await Promise.all(
    names.map(async name =>
      (await files.status(`${folder}/${name}`))?.isFolder ? filesUnder(`${folder}/${name}`) : [`${folder}/${name}`],
    ),
  );
  return found.flat();
}

/** Files beside one, those that begin alike. */
async function filesBeside(path: string, prefix = ""): Promise<string[]> {
  const folder = folderOf(path);
  const all = (await files.list(folder)).map(name => (folder === "" ? name : `${folder}/${name}`));
  return all.filter(name => (prefix === "" ? name === path || /group\d+-shard\d+of\d+\.bin$/.test(name) : name.startsWith(prefix)));
}
