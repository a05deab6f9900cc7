// TensorFlow's messages as a table in the words of their .proto files: names, labels, types, field numbers.
// The plain objects that readers give and writers take are typed from this very table. Coding is in message-codec.ts.
// A field is camelCase here and snake_case in JSON, by the one rule of base/names.ts. Fields nobody reads are left out.

import { dtypeEnumName, dtypeNames, dtypeTable } from "../base/dtype.ts";
import {
  checkpointMessages,
  clusterMessages,
  datasetMessages,
  eventMessages,
  exampleMessages,
  fileEnumerations,
  runMessages,
} from "./messages-files.ts";

export const messages = {
  GraphDef: { node: "repeated NodeDef = 1", library: "FunctionDefLibrary = 2", version: "int32 = 3", versions: "VersionDef = 4" },
  VersionDef: { producer: "int32 = 1", minConsumer: "int32 = 2", badConsumers: "repeated int32 = 3" },
  NodeDef: {
    name: "string = 1",
    op: "string = 2",
    input: "repeated string = 3",
    device: "string = 4",
    attr: "map<string, AttrValue> = 5",
    experimentalDebugInfo: "ExperimentalDebugInfo = 6",
    experimentalType: "FullTypeDef = 7",
  },
  ExperimentalDebugInfo: { originalNodeNames: "repeated string = 1", originalFuncNames: "repeated string = 2" },
  FullTypeDef: { typeId: "FullTypeId = 1", args: "repeated FullTypeDef = 2", s: "oneof string = 3", i: "oneof int64 = 4" },
  AttrValue: {
    list: "oneof ListValue = 1",
    s: "oneof bytes = 2",
    i: "oneof int64 = 3",
    f: "oneof float = 4",
    b: "oneof bool = 5",
    type: "oneof DataType = 6",
    shape: "oneof TensorShapeProto = 7",
    tensor: "oneof TensorProto = 8",
    placeholder: "oneof string = 9",
    func: "oneof NameAttrList = 10",
  },
  ListValue: {
    s: "repeated bytes = 2",
    i: "repeated int64 = 3",
    f: "repeated float = 4",
    b: "repeated bool = 5",
    type: "repeated DataType = 6",
    shape: "repeated TensorShapeProto = 7",
    tensor: "repeated TensorProto = 8",
    func: "repeated NameAttrList = 9",
  },
  NameAttrList: { name: "string = 1", attr: "map<string, AttrValue> = 2" },
  TensorShapeProto: { dim: "repeated Dim = 2", unknownRank: "bool = 3" },
  Dim: { size: "int64 = 1", name: "string = 2" },
  TensorProto: {
    dtype: "DataType = 1",
    tensorShape: "TensorShapeProto = 2",
    versionNumber: "int32 = 3",
    tensorContent: "bytes = 4",
    floatVal: "repeated float = 5",
    doubleVal: "repeated double = 6",
    intVal: "repeated int32 = 7",
    stringVal: "repeated bytes = 8",
    scomplexVal: "repeated float = 9",
    int64Val: "repeated int64 = 10",
    boolVal: "repeated bool = 11",
    dcomplexVal: "repeated double = 12",
    halfVal: "repeated int32 = 13",
    resourceHandleVal: "repeated ResourceHandleProto = 14",
    variantVal: "repeated VariantTensorDataProto = 15",
    uint32Val: "repeated uint32 = 16",
    uint64Val: "repeated uint64 = 17",
  },
  ResourceHandleProto: {
    device: "string = 1",
    container: "string = 2",
    name: "string = 3",
    hashCode: "uint64 = 4",
    maybeTypeName: "string = 5",
    dtypesAndShapes: "repeated DtypeAndShape = 6",
  },
  DtypeAndShape: { dtype: "DataType = 1", shape: "TensorShapeProto = 2" },
  VariantTensorDataProto: { typeName: "string = 1", metadata: "bytes = 2", tensors: "repeated TensorProto = 3" },
  FunctionDefLibrary: {
    function: "repeated FunctionDef = 1",
    gradient: "repeated GradientDef = 2",
    registeredGradients: "repeated RegisteredGradient = 3",
  },
  FunctionDef: {
    signature: "OpDef = 1",
    nodeDef: "repeated NodeDef = 3",
    ret: "map<string, string> = 4",
    attr: "map<string, AttrValue> = 5",
    controlRet: "map<string, string> = 6",
    argAttr: "map<uint32, ArgAttrs> = 7",
    resourceArgUniqueId: "map<uint32, uint32> = 8",
  },
  ArgAttrs: { attr: "map<string, AttrValue> = 1" },
  GradientDef: { functionName: "string = 1", gradientFunc: "string = 2" },
  RegisteredGradient: { gradientFunc: "string = 1", registeredOpType: "string = 2" },
  OpList: { op: "repeated OpDef = 1" },
  OpDef: {
    name: "string = 1",
    inputArg: "repeated ArgDef = 2",
    outputArg: "repeated ArgDef = 3",
    attr: "repeated AttrDef = 4",
    summary: "string = 5",
    description: "string = 6",
    deprecation: "OpDeprecation = 8",
    isAggregate: "bool = 16",
    isStateful: "bool = 17",
    isCommutative: "bool = 18",
    allowsUninitializedInput: "bool = 19",
    controlOutput: "repeated string = 20",
    isDistributedCommunication: "bool = 21",
  },
  ArgDef: {
    name: "string = 1",
    description: "string = 2",
    type: "DataType = 3",
    typeAttr: "string = 4",
    numberAttr: "string = 5",
    typeListAttr: "string = 6",
    handleData: "repeated DtypeAndShape = 7",
    isRef: "bool = 16",
    experimentalFullType: "FullTypeDef = 17",
  },
  AttrDef: {
    name: "string = 1",
    type: "string = 2",
    defaultValue: "AttrValue = 3",
    description: "string = 4",
    hasMinimum: "bool = 5",
    minimum: "int64 = 6",
    allowedValues: "AttrValue = 7",
  },
  OpDeprecation: { version: "int32 = 1", explanation: "string = 2" },
  Any: { typeUrl: "string = 1", value: "bytes = 2" },
  MetaGraphDef: {
    metaInfoDef: "MetaInfoDef = 1",
    graphDef: "GraphDef = 2",
    saverDef: "SaverDef = 3",
    collectionDef: "map<string, CollectionDef> = 4",
    signatureDef: "map<string, SignatureDef> = 5",
    assetFileDef: "repeated AssetFileDef = 6",
    // TensorFlow 2's object graph: kept as it is.
    objectGraphDef: "oneof bytes = 7",
  },
  MetaInfoDef: {
    metaGraphVersion: "string = 1",
    strippedOpList: "OpList = 2",
    anyInfo: "Any = 3",
    tags: "repeated string = 4",
    tensorflowVersion: "string = 5",
    tensorflowGitVersion: "string = 6",
    strippedDefaultAttrs: "bool = 7",
    functionAliases: "map<string, string> = 8",
  },
  CollectionDef: {
    nodeList: "oneof NodeList = 1",
    bytesList: "oneof BytesList = 2",
    int64List: "oneof Int64List = 3",
    floatList: "oneof FloatList = 4",
    anyList: "oneof AnyList = 5",
  },
  NodeList: { value: "repeated string = 1" },
  AnyList: { value: "repeated Any = 1" },
  TensorInfo: {
    name: "oneof string = 1",
    dtype: "DataType = 2",
    tensorShape: "TensorShapeProto = 3",
    cooSparse: "oneof CooSparse = 4",
    compositeTensor: "oneof bytes = 5",
  },
  CooSparse: { valuesTensorName: "string = 1", indicesTensorName: "string = 2", denseShapeTensorName: "string = 3" },
  SignatureDef: {
    inputs: "map<string, TensorInfo> = 1",
    outputs: "map<string, TensorInfo> = 2",
    methodName: "string = 3",
    defaults: "map<string, TensorProto> = 4",
  },
  AssetFileDef: { tensorInfo: "TensorInfo = 1", filename: "string = 2" },
  SavedModel: { savedModelSchemaVersion: "int64 = 1", metaGraphs: "repeated MetaGraphDef = 2" },
  VariableDef: {
    variableName: "string = 1",
    initializerName: "string = 2",
    snapshotName: "string = 3",
    saveSliceInfoDef: "SaveSliceInfoDef = 4",
    isResource: "bool = 5",
    initialValueName: "string = 6",
    trainable: "bool = 7",
    synchronization: "VariableSynchronization = 8",
    aggregation: "VariableAggregation = 9",
  },
  SaveSliceInfoDef: {
    fullName: "string = 1",
    fullShape: "repeated int64 = 2",
    varOffset: "repeated int64 = 3",
    varShape: "repeated int64 = 4",
  },
  SaverDef: {
    filenameTensorName: "string = 1",
    saveTensorName: "string = 2",
    restoreOpName: "string = 3",
    maxToKeep: "int32 = 4",
    sharded: "bool = 5",
    keepCheckpointEveryNHours: "float = 6",
    version: "CheckpointFormatVersion = 7",
  },
  QueueRunnerDef: {
    queueName: "string = 1",
    enqueueOpName: "repeated string = 2",
    closeOpName: "string = 3",
    cancelOpName: "string = 4",
    queueClosedExceptionTypes: "repeated int32 = 5",
  },
  ValuesDef: { values: "repeated string = 1", externalValues: "map<string, string> = 2" },
  ControlFlowContextDef: { condCtxt: "oneof CondContextDef = 1", whileCtxt: "oneof WhileContextDef = 2" },
  CondContextDef: {
    contextName: "string = 1",
    predName: "string = 2",
    pivotName: "string = 3",
    branch: "int32 = 4",
    valuesDef: "ValuesDef = 5",
    nestedContexts: "repeated ControlFlowContextDef = 6",
  },
  WhileContextDef: {
    contextName: "string = 1",
    parallelIterations: "int32 = 2",
    backProp: "bool = 3",
    swapMemory: "bool = 4",
    pivotName: "string = 5",
    pivotForPredName: "string = 6",
    pivotForBodyName: "string = 7",
    loopExitNames: "repeated string = 8",
    valuesDef: "ValuesDef = 9",
    loopEnterNames: "repeated string = 10",
    maximumIterationsName: "string = 11",
    nestedContexts: "repeated ControlFlowContextDef = 12",
  },
  ...checkpointMessages,
  ...clusterMessages,
  ...datasetMessages,
  ...eventMessages,
  ...exampleMessages,
  ...runMessages,
} as const;

/** Enumerators counted upwards. */
const numbered = (prefix: string, names: readonly string[], first: number): [string, number][] =>
  names.map((name, i) => [prefix + name, first + i]);

/** Enumerations: names ↔ numbers. A number without a name stays a number, so messages of newer writers survive. */
export const enumerations: Readonly<Record<string, ReadonlyMap<string, number>>> = {
  ...Object.fromEntries(Object.entries(fileEnumerations).map(([name, rows]) => [name, new Map<string, number>(rows)])),
  DataType: new Map([
    ["DT_INVALID", 0],
    ...dtypeNames.map(name => [dtypeEnumName(name), dtypeTable[name].number] as const),
    ...dtypeNames.map(name => [`${dtypeEnumName(name)}_REF`, dtypeTable[name].number + 100] as const),
  ]),
  CheckpointFormatVersion: new Map(numbered("", ["LEGACY", "V1", "V2"], 0)),
  VariableSynchronization: new Map(numbered("VARIABLE_SYNCHRONIZATION_", ["AUTO", "NONE", "ON_WRITE", "ON_READ"], 0)),
  VariableAggregation: new Map(numbered("VARIABLE_AGGREGATION_", ["NONE", "SUM", "MEAN", "ONLY_FIRST_REPLICA"], 0)),
  FullTypeId: new Map([
    ...numbered("TFT_", ["UNSET", "VAR", "ANY", "PRODUCT", "NAMED"], 0),
    ...numbered("TFT_", ["FOR_EACH"], 20),
    ...numbered("TFT_", ["CALLABLE"], 100),
    ...numbered("TFT_", ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "HALF", "FLOAT", "DOUBLE"], 200),
    ...numbered("TFT_", ["COMPLEX64", "COMPLEX128", "STRING", "BFLOAT16"], 212),
    ...numbered("TFT_", ["TENSOR", "ARRAY", "OPTIONAL", "LITERAL", "ENCODED", "SHAPE_TENSOR"], 1000),
    ...numbered("TFT_", ["DATASET", "RAGGED", "ITERATOR"], 10102),
    ...numbered("TFT_", ["MUTEX_LOCK", "LEGACY_VARIANT"], 10202),
  ]),
};

export type MessageName = keyof typeof messages;

/** What a type of the table is in JavaScript: 64-bit integers are bigints, bytes a Uint8Array, enumerators their name (or bare number). */
type Value<T extends string> = T extends "string"
  ? string
  : T extends "bytes"
    ? Uint8Array
    : T extends "bool"
      ? boolean
      : T extends "int64" | "uint64"
        ? bigint
        : T extends "int32" | "uint32" | "fixed32" | "float" | "double"
          ? number
          : T extends MessageName
            ? Message<T>
            : string | number;

type FieldValue<S> = S extends `repeated ${infer T} = ${number}`
  ? readonly Value<T>[]
  : S extends `map<${infer K}, ${infer V}> = ${number}`
    ? ReadonlyMap<Value<K>, Value<V>>
    : S extends `oneof ${infer T} = ${number}`
      ? Value<T> | undefined
      : S extends `${infer T} = ${number}`
        ? T extends MessageName
          ? Value<T> | undefined
          : Value<T>
        : never;

/** A message as readers give it: absent scalars have proto3's default, lists and maps are empty, absent messages and unset oneofs undefined. */
export type Message<N extends MessageName> = { readonly [K in keyof (typeof messages)[N]]: FieldValue<(typeof messages)[N][K]> };

type InitOf<V> = V extends Uint8Array
  ? V
  : V extends readonly (infer T)[]
    ? readonly InitOf<T>[]
    : V extends ReadonlyMap<infer K, infer T>
      ? ReadonlyMap<K, InitOf<T>>
      : V extends object
        ? { readonly [K in keyof V]?: InitOf<V[K]> | undefined }
        : V;

/** A message as writers take it: any field may be left out. */
export type MessageInit<N extends MessageName> = {
  readonly [K in keyof (typeof messages)[N]]?: InitOf<FieldValue<(typeof messages)[N][K]>> | undefined;
};
