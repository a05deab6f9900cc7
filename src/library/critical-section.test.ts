// Critical sections: TensorFlow's nodes, and functions that see whole what the others did.
import { expect, it } from "vitest";
import * as compat from "../compat.ts";
import * as tf from "../index.ts";

function counting(initial = 0) {
  const v = new tf.Variable(initial, { name: "v", useResource: true });
  const up = tf.constant(2, { name: "up" });
  const count = (): tf.Tensor => {
    const value = v.readValue();
    const graph = tf.getDefaultGraph();
    return graph.controlDependencies([value.op], () => graph.controlDependencies([v.assignAdd(up)], () => tf.identity(value)));
  };
  return { v, count };
}

it("executes functions one after the other", async () => {
  using _ = new tf.Graph().asDefault();
  const { v, count } = counting();
  const section = new tf.CriticalSection();
  const all = [1, 2, 3].map(() => section.execute(count));
  await using session = new tf.Session();
  await session.run(v.initializer);
  const values = (await session.run(all)) as readonly tf.NDArray[];
  expect(values.map(value => value.item()).sort()).toEqual([0, 2, 4]);
  expect((await session.run(v)).item()).toBe(6);
  expect((await session.run(all[1])).item()).toBe(6);
});

it("makes TensorFlow's nodes", () => {
  using _ = new tf.Graph().asDefault();
  const { count } = counting();
  const section = new compat.CriticalSection();
  const [first, second] = section.execute(() => [count(), tf.constant(1)]) as tf.Tensor[];
  const graph = tf.getDefaultGraph();
  const told = (name: string) => {
    const op = graph.getOperationByName(`critical_section_execute/${name}`);
    return [op.type, ...op.inputs.map(input => input.name), ...op.controlInputs.map(control => `^${control.name}`).sort()].map(text =>
      text.replace("critical_section_execute/", ""),
    );
  };
  expect(section.name).toBe("CriticalSection");
  expect([first.name, second.name]).toEqual(["critical_section_execute/Identity_4:0", "critical_section_execute/Identity_5:0"]);
  expect(told("MutexLock")).toEqual(["MutexLock", "CriticalSection:0", "^group_deps"]);
  expect(told("group_deps")).toEqual(["NoOp", "^up", "^v"]);
  expect(told("Const")).toEqual(["Const", "^MutexLock"]);
  expect(told("ConsumeMutexLock")).toEqual(["ConsumeMutexLock", "MutexLock:0", "^Identity_2", "^Identity_3"]);
  expect(told("tuple/group_deps")).toEqual(["NoOp", "^Const", "^Identity_1", "^Identity_2", "^Identity_3"]);
  expect(told("Identity_4")).toEqual(["Identity", "tuple/control_dependency:0", "^ConsumeMutexLock"]);
});

it("refuses a section in itself, and two for one variable", () => {
  using _ = new tf.Graph().asDefault();
  const { count } = counting();
  const section = new tf.CriticalSection();
  section.execute(count);
  expect(() => section.execute(() => section.execute(count))).toThrow(
    "Attempting to lock a CriticalSection (signature=('', 'CriticalSection/', None)) in which we are already running. This is illegal and may cause deadlocks.",
  );
  const other = new tf.CriticalSection({ name: "other" });
  expect(() => other.execute(count)).toThrow('This execution would access resources: [Tensor("v:0", shape=(), dtype=resource)]');
  new tf.CriticalSection({ name: "third" });
  expect(() => other.execute(count, { exclusiveResourceAccess: false })).toThrow("requested exclusive resource access of this resource");
});
