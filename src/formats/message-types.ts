// Messages of graphs as programs make them: `const graphDef = tf.GraphDef.FromString(bytes)`.

import { messageClass, type MessageObject } from "./message-class.ts";

/** A graph in its file format. TF: tf.GraphDef. */
export const GraphDef = messageClass("GraphDef");
export type GraphDef = MessageObject<"GraphDef">;
/** A node of a graph. TF: tf.NodeDef. */
export const NodeDef = messageClass("NodeDef", { ExperimentalDebugInfo: "ExperimentalDebugInfo" });
export type NodeDef = MessageObject<"NodeDef">;
/** The value of a node's attribute. TF: tf.AttrValue. */
export const AttrValue = messageClass("AttrValue", { ListValue: "ListValue" });
export type AttrValue = MessageObject<"AttrValue">;
/** A name with attributes, such as a function's. TF: tf.NameAttrList. */
export const NameAttrList = messageClass("NameAttrList");
export type NameAttrList = MessageObject<"NameAttrList">;
/** A graph with its collections. TF: tf.MetaGraphDef. */
export const MetaGraphDef = messageClass("MetaGraphDef", { MetaInfoDef: "MetaInfoDef" });
export type MetaGraphDef = MessageObject<"MetaGraphDef">;
/** Where a signature's tensor is. TF: tf.TensorInfo. */
export const TensorInfo = messageClass("TensorInfo", { CooSparse: "CooSparse" });
/** A message in an event file. TF: tf.LogMessage. */
export const LogMessage = Object.assign(messageClass("LogMessage"), {
  UNKNOWN: 0,
  DEBUGGING: 10,
  INFO: 20,
  WARN: 30,
  ERROR: 40,
  FATAL: 50,
} as const);
export type LogMessage = MessageObject<"LogMessage">;
/** What a summary is shown by. TF: tf.SummaryMetadata. */
export const SummaryMetadata = messageClass("SummaryMetadata", { PluginData: "PluginData" });
export type SummaryMetadata = MessageObject<"SummaryMetadata">;
