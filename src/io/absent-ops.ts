// Why ops of TensorFlow's registry are not here, and what to do about a graph that holds one.

/** The first that matches an op's name says why. */
const reasonsAgainst: readonly (readonly [types: RegExp, reason: string])[] = [
  [
    /^CudnnRNN/,
    "cuDNN's recurrent network, which TensorFlow has for GPUs alone; export it with CudnnCompatibleLSTMCell or CudnnCompatibleGRUCell, which read the same checkpoint",
  ],
  [
    /TPU|Tpu|^XlaSparse|SparseCore|Minibatch|DedupData|^(?:In|Out)feed|^Prelinearize|^CrossReplicaSum$|^WorkerHeartbeat$|^GlobalIterId$|^ConvertToCooTensor$|^KthOrderStatistic$|^MakeUnique$|^TopK.*Unique$|^UpdateTaskId/,
    "part of a program for TPUs; export the graph for CPU, before tf.tpu rewrites it",
  ],
  [
    /^XlaCallModule$/,
    "a program of JAX's in StableHLO; export it with jax2tf.convert(f, native_serialization=False), whose operations are nodes",
  ],
  [/^_?Xla|(?:^|Variable)Xla/, "part of a program that XLA compiles; export the graph without jit_compile and XLA's clustering"],
  [/Nccl/, "an exchange between GPUs; export the graph for one device"],
  [/^DTensor|^CopyToMesh|^Relayout/, "part of a program cut over a mesh of devices; export the graph for one device"],
  [/^Collective|^AllToAll$/, "an exchange among workers, of which a session here has one; export the graph for one device"],
  [/^_+Mkl/, "put in by TensorFlow itself when it runs a graph with oneDNN; export the graph as it was built"],
  [
    /^_(?:FusedQuantized|QuantizedM)|^_FusedBatchNormGradEx$/,
    "put in by TensorFlow itself when it rewrites a graph for oneDNN or cuDNN; export the graph as it was built",
  ],
  [
    /^_(?:DeviceArg|DeviceRetval|Retval|EagerConst|ReadVariablesOp|VarHandlesOp|ScopedAllocator.*|SwitchN)$/,
    "put in by TensorFlow itself while it runs a graph, which no saved graph holds",
  ],
  [/BoostedTrees/, "gradient boosted trees, for which TensorFlow 2 has no kernels any more"],
  [
    /^DataService|^RegisterDataset|^DistributedSave$|^Rpc|RpcFuture|^ListSnapshotChunksDataset$/,
    "a call of a server of TensorFlow's; make the dataset in this program",
  ],
  [
    /SqlDataset$|^(?:Experimental)?LMDB/,
    "reads a database; write its rows to TFRecord files, or give them by tf.data.Dataset.fromGenerator",
  ],
  [/^CreateSummaryDbWriter$/, "writes a database; write events with CreateSummaryFileWriter"],
  [/^Risc/, "an experiment that TensorFlow has no kernels for"],
  [/StatsAggregator/, "measures TensorFlow's own threads of tf.data, whose queues are not here; leave the measurements out"],
  [
    /^SnapshotDataset|^DatasetFingerprint$|^Dataset(?:From|To)Graph|^(?:De)?[sS]erializeIterator$|^IteratorGetModelProto$/,
    "needs a pipeline as bytes, as TensorFlow's runtime writes it; keep its elements with SaveDataset, cache or TFRecord files",
  ],
  [
    /^GlobalShuffleDataset$|^(?:Index|Weighted)FlatMapDataset$/,
    "takes elements of datasets by their numbers, which datasets here do not have; shuffle with a buffer of all elements",
  ],
  [
    /^ChooseFastestBranchDataset$|^ComputeBatchSize$|^GetOptions$/,
    "put in by tf.data's own rewriting of a pipeline; export the pipeline as it was built",
  ],
  [/^Decode(?:Jxl|WebP)$/, "reads a picture format that has no reader here; convert the pictures to PNG or JPEG"],
  [/^AudioMicrofrontend$/, "the fixed-point features of TensorFlow Lite's microcontrollers; use audio_spectrogram and mfcc"],
  [
    /^CalibrationStatisticsSaver$|^CustomAggregator$|^DumpTensor$/,
    "collects statistics for TensorFlow's quantizer of SavedModels; export the model before it is calibrated",
  ],
  [/^CheckPinned$|^SyncDevice$/, "asks about the memory of a GPU"],
  [/^I?R?FFTND$|^Conv2DBackprop(?:Filter|Input)V2$|^CTCLossV2$/, "an op for which TensorFlow has no kernel for CPUs"],
  [/^TensorListPushBackBatch$/, "changes a tensor of lists at once, which tf.vectorized_map makes; push to each list"],
  [/^GetSessionHandleV2$/, "gives a handle that only the process knows; GetSessionHandle gives a text that can be fed"],
  [/^QuantizedConv2DWithBiasSumAndRelu$/, "ends TensorFlow's own process"],
  [/^FileSystemSetConfiguration$/, "sets options of TensorFlow's own file systems"],
  [
    /^(?:GenerateBoundingBoxProposals|FilterByLastComponentDataset|ExperimentalMapDataset|MlirPassthroughOp)$/,
    "an op for which TensorFlow has no kernel for CPUs",
  ],
];

export const reasonAgainst = (type: string): string | undefined => reasonsAgainst.find(([types]) => types.test(type))?.[1];
