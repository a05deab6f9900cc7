// Messages of checkpoints, event files and records, as rows of the table in messages.ts.

export const checkpointMessages = {
  BundleHeaderProto: { numShards: "int32 = 1", endianness: "Endianness = 2", version: "VersionDef = 3" },
  BundleEntryProto: {
    dtype: "DataType = 1",
    shape: "TensorShapeProto = 2",
    shardId: "int32 = 3",
    offset: "int64 = 4",
    size: "int64 = 5",
    crc32c: "fixed32 = 6",
    slices: "repeated TensorSliceProto = 7",
  },
  TensorSliceProto: { extent: "repeated Extent = 1" },
  Extent: { start: "int64 = 1", length: "oneof int64 = 2" },
  SavedSliceMeta: { name: "string = 1", shape: "TensorShapeProto = 2", type: "DataType = 3", slice: "repeated TensorSliceProto = 4" },
  SavedTensorSliceMeta: { tensor: "repeated SavedSliceMeta = 1", versions: "VersionDef = 2" },
  SavedSlice: { name: "string = 1", slice: "TensorSliceProto = 2", data: "TensorProto = 3" },
  SavedTensorSlices: { meta: "SavedTensorSliceMeta = 1", data: "SavedSlice = 2" },
} as const;

export const eventMessages = {
  Event: {
    wallTime: "double = 1",
    step: "int64 = 2",
    fileVersion: "oneof string = 3",
    graphDef: "oneof bytes = 4",
    summary: "oneof Summary = 5",
    logMessage: "oneof LogMessage = 6",
    sessionLog: "oneof SessionLog = 7",
    taggedRunMetadata: "oneof TaggedRunMetadata = 8",
    metaGraphDef: "oneof bytes = 9",
    sourceMetadata: "SourceMetadata = 10",
  },
  SourceMetadata: { writer: "string = 1" },
  LogMessage: { level: "LogLevel = 1", message: "string = 2" },
  SessionLog: { status: "SessionStatus = 1", checkpointPath: "string = 2", msg: "string = 3" },
  TaggedRunMetadata: { tag: "string = 1", runMetadata: "bytes = 2" },
  Summary: { value: "repeated SummaryValue = 1" },
  SummaryValue: {
    tag: "string = 1",
    simpleValue: "oneof float = 2",
    obsoleteOldStyleHistogram: "oneof bytes = 3",
    image: "oneof SummaryImage = 4",
    histo: "oneof HistogramProto = 5",
    audio: "oneof SummaryAudio = 6",
    nodeName: "string = 7",
    tensor: "oneof TensorProto = 8",
    metadata: "SummaryMetadata = 9",
  },
  SummaryImage: { height: "int32 = 1", width: "int32 = 2", colorspace: "int32 = 3", encodedImageString: "bytes = 4" },
  SummaryAudio: {
    sampleRate: "float = 1",
    numChannels: "int64 = 2",
    lengthFrames: "int64 = 3",
    encodedAudioString: "bytes = 4",
    contentType: "string = 5",
  },
  HistogramProto: {
    min: "double = 1",
    max: "double = 2",
    num: "double = 3",
    sum: "double = 4",
    sumSquares: "double = 5",
    bucketLimit: "repeated double = 6",
    bucket: "repeated double = 7",
  },
  SummaryMetadata: {
    pluginData: "PluginData = 1",
    displayName: "string = 2",
    summaryDescription: "string = 3",
    dataClass: "DataClass = 4",
  },
  PluginData: { pluginName: "string = 1", content: "bytes = 2" },
} as const;

/** What a run took, by device and node. */
export const runMessages = {
  RunOptions: {
    traceLevel: "TraceLevel = 1",
    timeoutInMs: "int64 = 2",
    interOpThreadPool: "int32 = 3",
    outputPartitionGraphs: "bool = 5",
    reportTensorAllocationsUponOom: "bool = 7",
  },
  RunMetadata: { stepStats: "StepStats = 1", partitionGraphs: "repeated GraphDef = 3" },
  StepStats: { devStats: "repeated DeviceStepStats = 1" },
  DeviceStepStats: { device: "string = 1", nodeStats: "repeated NodeExecStats = 2", threadNames: "map<uint32, string> = 3" },
  NodeExecStats: {
    nodeName: "string = 1",
    allStartMicros: "int64 = 2",
    opStartRelMicros: "int64 = 3",
    opEndRelMicros: "int64 = 4",
    allEndRelMicros: "int64 = 5",
    memory: "repeated AllocatorMemoryUsed = 6",
    output: "repeated NodeOutput = 7",
    timelineLabel: "string = 8",
    scheduledMicros: "int64 = 9",
    threadId: "uint32 = 10",
    allStartNanos: "int64 = 13",
    opStartRelNanos: "int64 = 14",
    opEndRelNanos: "int64 = 15",
    allEndRelNanos: "int64 = 16",
    scheduledNanos: "int64 = 17",
  },
  NodeOutput: { slot: "int32 = 1", tensorDescription: "TensorDescription = 3" },
  AllocatorMemoryUsed: {
    allocatorName: "string = 1",
    totalBytes: "int64 = 2",
    peakBytes: "int64 = 3",
    liveBytes: "int64 = 4",
    allocatorBytesInUse: "int64 = 5",
  },
  AllocationDescription: {
    requestedBytes: "int64 = 1",
    allocatedBytes: "int64 = 2",
    allocatorName: "string = 3",
    allocationId: "int64 = 4",
    hasSingleReference: "bool = 5",
    ptr: "uint64 = 6",
  },
  TensorDescription: { dtype: "DataType = 1", shape: "TensorShapeProto = 2", allocationDescription: "AllocationDescription = 4" },
} as const;

export const exampleMessages = {
  Example: { features: "Features = 1" },
  SequenceExample: { context: "Features = 1", featureLists: "FeatureLists = 2" },
  Features: { feature: "map<string, Feature> = 1" },
  Feature: { bytesList: "oneof BytesList = 1", floatList: "oneof FloatList = 2", int64List: "oneof Int64List = 3" },
  FeatureLists: { featureList: "map<string, FeatureList> = 1" },
  FeatureList: { feature: "repeated Feature = 1" },
  BytesList: { value: "repeated bytes = 1" },
  FloatList: { value: "repeated float = 1" },
  Int64List: { value: "repeated int64 = 1" },
} as const;

/** Enumerations of these messages: names in the order of their numbers, or with them. */
export const fileEnumerations = {
  Endianness: [
    ["LITTLE", 0],
    ["BIG", 1],
  ],
  TraceLevel: [
    ["NO_TRACE", 0],
    ["SOFTWARE_TRACE", 1],
    ["HARDWARE_TRACE", 2],
    ["FULL_TRACE", 3],
  ],
  LogLevel: [
    ["UNKNOWN", 0],
    ["DEBUGGING", 10],
    ["INFO", 20],
    ["WARN", 30],
    ["ERROR", 40],
    ["FATAL", 50],
  ],
  SessionStatus: [
    ["STATUS_UNSPECIFIED", 0],
    ["START", 1],
    ["STOP", 2],
    ["CHECKPOINT", 3],
  ],
  DataClass: [
    ["DATA_CLASS_UNKNOWN", 0],
    ["DATA_CLASS_SCALAR", 1],
    ["DATA_CLASS_TENSOR", 2],
    ["DATA_CLASS_BLOB_SEQUENCE", 3],
  ],
} as const satisfies Readonly<Record<string, readonly (readonly [string, number])[]>>;
