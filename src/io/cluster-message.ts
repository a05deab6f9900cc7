// Clusters and servers as messages. TF: tf.train.{ClusterDef,JobDef,ServerDef}.

import { messageClass } from "../formats/message-class.ts";

/** The jobs of a cluster. TF: tf.train.ClusterDef. */
export const ClusterDef = messageClass("ClusterDef");
/** A job's name, and the addresses of its tasks by number. TF: tf.train.JobDef. */
export const JobDef = messageClass("JobDef");
/** A task's place in a cluster. TF: tf.train.ServerDef. */
export const ServerDef = messageClass("ServerDef");
