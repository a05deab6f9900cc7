// How long large graphs take to build and to compile: deep nets trained by SGD, of some 1,250 to 10,000 nodes. The sizes double, so a pass that
// is worse than linear shows as a column that grows by more. That none is, counted instead of timed: test/journeys/compile-work.test.ts.

import * as tf from "tensorloom";

export interface LargeGraph {
  readonly graph: tf.Graph;
  readonly initialize: tf.Operation;
  readonly fetches: tf.Fetches;
  readonly feeds: tf.Feeds;
}

/** Layers with residual connections, each with weights of its own; gradients through all; some 37 nodes a layer, with a softmax in each some 60. */
export function largeGraph(layers: number, { hasSoftmax = false } = {}): LargeGraph {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const x = tf.placeholder(tf.float32, [8, 16]);
    let h: tf.Tensor = x;
    for (let layer = 0; layer < layers; layer++) {
      const weights = new tf.Variable(tf.truncatedNormal([16, 16], { stddev: 0.1, seed: layer + 1 }));
      const bias = new tf.Variable(tf.zeros([16]));
      const change = tf.nn.relu(tf.matmul(h, weights).add(bias));
      h = h.add(hasSoftmax ? tf.nn.softmax(change) : change);
    }
    const loss = tf.reduceMean(tf.square(h));
    const train = new tf.train.GradientDescentOptimizer(0.1).minimize(loss);
    return {
      graph,
      initialize: tf.globalVariablesInitializer(),
      fetches: [train, loss],
      feeds: [[x, tf.NDArray.zeros("float32", [8, 16])]],
    };
  });
}

/** Prints the least of each time over several rounds, in this process: the larger ones meet code that is warm. */
export async function printLargeGraphs(rounds: number): Promise<void> {
  console.log(["nodes", "build", "initialize", "compile + run", "kernels", "module kB"].map(title => title.padStart(14)).join(""));
  for (const layers of [34, 68, 136, 272]) {
    let least = [Infinity, Infinity, Infinity];
    let [nodes, kernels, moduleBytes] = [0, 0, 0];
    for (let round = 0; round < rounds; round++) {
      const times = [performance.now()];
      const { graph, initialize, fetches, feeds } = largeGraph(layers);
      times.push(performance.now());
      const session = new tf.Session({ graph, config: { intraOpParallelismThreads: 1 } });
      await session.run(initialize);
      times.push(performance.now());
      await session.run(fetches, feeds);
      times.push(performance.now());
      least = least.map((time, i) => Math.min(time, times[i + 1] - times[i]));
      ({ kernels, moduleBytes } = await session.counts(fetches, feeds));
      nodes = graph.getOperations().length;
      await session.close();
    }
    const cells = [String(nodes), ...least.map(time => `${time.toFixed(0)} ms`), String(kernels), (moduleBytes / 1024).toFixed(0)];
    console.log(cells.map(cell => cell.padStart(14)).join(""));
  }
}
