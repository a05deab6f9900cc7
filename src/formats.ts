// The door "tensorloom/formats": reading and writing TensorFlow's files with nothing of graph or compiler. Checkpoints, records, events,
// messages (GraphDef, MetaGraphDef, SavedModel …) and their text form, numpy's arrays; on disk, in the origin's private file system, or from
// bytes and Blobs (MemoryFiles).

export { files } from "#platform";
export { type DType, dtypeNames } from "./base/dtype.ts";
export {
  DataLossError,
  InvalidArgumentError,
  NotFoundError,
  OpError,
  OutOfRangeError,
  UnimplementedError,
  ValueError,
} from "./base/errors.ts";
export { blobSource, type ByteSource, bytesSource, type FileSystem, MemoryFiles, readFile } from "./base/files.ts";
export { NDArray } from "./base/ndarray.ts";
export { mergeBundles, type NamedTensor, type TensorEntry, writeBundle } from "./formats/bundle.ts";
export {
  CheckpointReader,
  type CheckpointState,
  hasCheckpoint,
  openCheckpoint,
  readCheckpointState,
  removeCheckpointFiles,
  writeCheckpointState,
} from "./formats/checkpoint.ts";
export { Timeline } from "./formats/timeline.ts";
export { writeCheckpointV1 } from "./formats/checkpoint-v1.ts";
export { type MessageClass, messageClass, type MessageObject } from "./formats/message-class.ts";
export { createMessage, messageFromBytes, messageFromJson, messageToBytes, messageToJson } from "./formats/message-codec.ts";
export type { Message, MessageInit, MessageName } from "./formats/messages.ts";
export { npyFromArray, npyToArray } from "./formats/npy.ts";
export { pngFromPixels } from "./formats/png.ts";
export { readRecords, type RecordCompression, RecordWriter, recordsOf, recordToBytes } from "./formats/records.ts";
export { arrayFromMessage, arrayToMessage } from "./formats/tensor-message.ts";
export { messageFromText, messageToText } from "./formats/text-format.ts";
