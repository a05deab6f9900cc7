// Queue runners go through a meta graph and start on the other side; savers that are not wanted stay behind.
import { expect, it } from "vitest";
import { messageFromBytes, messageToBytes } from "../formats/message-codec.ts";
import * as tf from "../index.ts";

it("a queue runner is imported and fills its queue", async () => {
  const graph = new tf.Graph();
  graph.asDefault(() => {
    const queue = new tf.FIFOQueue(10, ["float32"], { shapes: [[]], name: "queue" });
    tf.train.addQueueRunner(new tf.train.QueueRunner(queue, [queue.enqueue([tf.constant(2.5)])]));
    tf.identity(queue.dequeue() as tf.Tensor, { name: "taken" });
  });
  const message = await tf.train.exportMetaGraph({ graph });
  const [bytes] = message.collectionDef.get("queue_runners")?.bytesList?.value ?? [];
  expect(messageFromBytes("QueueRunnerDef", bytes)).toEqual({
    queueName: "queue",
    enqueueOpName: ["queue_enqueue"],
    closeOpName: "queue_Close",
    cancelOpName: "queue_Close_1",
    queueClosedExceptionTypes: [11],
  });
  const other = new tf.Graph();
  await tf.train.importMetaGraph(messageToBytes("MetaGraphDef", message), { graph: other, importScope: "in" });
  const session = new tf.Session({ graph: other });
  const coord = new tf.train.Coordinator();
  const loops = tf.train.startQueueRunners({ sess: session, coord });
  expect(loops).toHaveLength(2);
  expect(Number(await session.run("in/taken:0"))).toBe(2.5);
  coord.requestStop();
  await coord.join(loops);
  await session.close();
});

it("clearExtraneousSavers leaves the nodes of other savers out", async () => {
  const graph = new tf.Graph();
  const names = async (clearExtraneousSavers: boolean): Promise<string[]> => {
    const { graphDef } = await tf.train.exportMetaGraph({ graph, saverDef: first.asSaverDef(), clearExtraneousSavers });
    return (graphDef?.node ?? []).map(({ name }) => name);
  };
  const first = graph.asDefault(() => {
    tf.getVariable("w", { shape: [2] });
    const made = new tf.train.Saver();
    new tf.train.Saver(null, { name: "other" });
    return made;
  });
  const [all, cleared] = [await names(false), await names(true)];
  const left = all.filter(name => !cleared.includes(name));
  expect(left.length).toBeGreaterThan(0);
  const [kept, other] = [first.asSaverDef()?.restoreOpName.split("/")[0], left[0].split("/")[0]];
  expect(left.every(name => name.startsWith(`${other}/`))).toBe(true);
  expect(cleared.filter(name => name.startsWith(`${other}/`))).toEqual([]);
  expect(cleared.some(name => name.startsWith(`${kept}/RestoreV2`))).toBe(true);
});
