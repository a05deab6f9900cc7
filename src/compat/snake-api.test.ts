// The door over a small made-up API: argument orders, both spellings, identity. The real API's names are tested in test/parity/public-names.test.ts.
import { describe, expect, it } from "vitest";
import { arrangeArguments, parseSignature } from "./calls.ts";
import { contrib } from "./ended.ts";
import { nullRefusals } from "./signatures.ts";
import { snakeApi } from "./snake-api.ts";

const maxPool = parseSignature("nn.max_pool", "4 value ksize strides padding data_format= name? input?");

describe("arrangeArguments", () => {
  it.each([
    [
      ["v", 2, 2, "SAME"],
      ["v", 2, 2, "SAME"],
    ],
    [
      ["v", 2, 2, "SAME", "NCHW", "pool"],
      ["v", 2, 2, "SAME", { dataFormat: "NCHW", name: "pool" }],
    ],
    [
      ["v", 2, 2, "SAME", { data_format: "NCHW" }],
      ["v", 2, 2, "SAME", { dataFormat: "NCHW" }],
    ],
    [
      ["v", 2, 2, "SAME", { dataFormat: "NCHW" }],
      ["v", 2, 2, "SAME", { dataFormat: "NCHW" }],
    ],
    [
      ["v", { padding: "SAME", strides: 2, ksize: 3, name: null }],
      ["v", 3, 2, "SAME"],
    ],
    [
      ["v", 2, 2, "SAME", {}],
      ["v", 2, 2, "SAME"],
    ],
    [
      ["v", 2, 2, "SAME", null],
      ["v", 2, 2, "SAME", { dataFormat: null }],
    ],
  ])("takes %j as %j", (given, wanted) => {
    expect(arrangeArguments(maxPool, given)).toEqual(wanted);
  });

  it.each([
    [["v", 2, 2], "max_pool() missing 1 required positional argument: 'padding'"],
    [[], "max_pool() missing 4 required positional arguments: 'value' and 'ksize' and 'strides' and 'padding'"],
    [["v", 2, 2, "SAME", { padding: "VALID" }], "max_pool() got multiple values for argument 'padding'"],
    [["v", 2, 2, "SAME", { name: "x", colour: 1 }], "max_pool() got an unexpected keyword argument 'colour'"],
    [["v", 2, 2, "SAME", { colour: 1 }], "max_pool() got an unexpected keyword argument 'colour'"],
    [["v", 2, 2, "SAME", { namme: ["x"] }], "max_pool() got an unexpected keyword argument 'namme'"],
    [["v", 2, 2, "SAME", "NHWC", "n", "i", "more"], "max_pool() takes 7 positional arguments but 8 were given"],
  ])("refuses %j in Python's words", (given, message) => {
    expect(() => arrangeArguments(maxPool, given)).toThrow(message);
  });

  it("refuses null in TensorFlow's words where its default is another", () => {
    const cumsum = parseSignature("cumsum", `2 x axis=${nullRefusals.findIndex(text => text.includes("convert '{}'"))} exclusive= name?`);
    const refused = "Tried to convert 'axis' to a tensor and failed. Error: None values not supported.\n\nArgument 'axis' is null.";
    expect(() => arrangeArguments(cumsum, ["x", null])).toThrow(refused);
    expect(() => arrangeArguments(cumsum, ["x", { axis: null }])).toThrow(refused);
    expect(arrangeArguments(cumsum, ["x", { axis: undefined, name: null }])).toEqual(["x"]);
  });

  it("leaves an object that is itself an argument alone", () => {
    const run = parseSignature("Session.run", "2 fetches feed_dict? options? run_metadata?");
    expect(arrangeArguments(run, [{ loss: "l" }])).toEqual([{ loss: "l" }]);
    expect(arrangeArguments(run, [{}])).toEqual([{}]);
    expect(arrangeArguments(run, ["x", { "x:0": 1 }])).toEqual(["x", { "x:0": 1 }]);
    expect(arrangeArguments(run, ["x", { feed_dict: { "x:0": 1 } }])).toEqual(["x", { "x:0": 1 }]);
  });

  it("leaves a dictionary of variables alone", () => {
    const saver = parseSignature("Saver", "0 var_list? reshape=");
    const variables = { weights: new Map([["a variable", 1]]) };
    expect(arrangeArguments(saver, [variables])).toEqual([{ varList: variables }]);
    expect(() => arrangeArguments(saver, [{ reshap: true }])).toThrow("Saver() got an unexpected keyword argument 'reshap'");
  });

  it("leaves a dictionary alone whose keys are called like arguments", () => {
    const slices = parseSignature("from_tensor_slices", "1 tensors name?");
    expect(arrangeArguments(slices, [{ name: ["a"], age: [1] }])).toEqual([{ name: ["a"], age: [1] }]);
    expect(arrangeArguments(slices, [{ tensors: [1], name: "n" }])).toEqual([[1], { name: "n" }]);
  });

  it("puts a callback where our form has it", () => {
    const body = () => 1;
    expect(arrangeArguments(parseSignature("name_scope", "1+1 name default_name? values?"), ["a", body])).toEqual(["a", body]);
    expect(arrangeArguments(parseSignature("name_scope", "1+1 name default_name? values?"), [null, "b", body])).toEqual([
      null,
      { defaultName: "b" },
      body,
    ]);
    expect(arrangeArguments(parseSignature("name_scope", "1+1 name default_name? values?"), [null, { default_name: "b" }, body])).toEqual([
      null,
      { defaultName: "b" },
      body,
    ]);
    const scope = parseSignature("variable_scope", "1+1 name_or_scope default_name? values? initializer?");
    const initializer = (shape: readonly number[], dtype: string) => [shape, dtype];
    expect(arrangeArguments(scope, ["a", null, null, initializer])).toEqual(["a", { initializer }]);
    expect(arrangeArguments(scope, ["a", "b", ["x"], body])).toEqual(["a", { defaultName: "b", values: ["x"] }, body]);
    expect(arrangeArguments(parseSignature("as_default", "0+0"), [body])).toEqual([body]);
  });

  it("follows positional parameters out of TensorFlow's order, and variadic functions", () => {
    expect(arrangeArguments(parseSignature("f", "2,0 a b? c?"), ["x", "y", "z"])).toEqual(["z", "x", { b: "y" }]);
    expect(arrangeArguments(parseSignature("group", "*"), ["x", "y", { some_name: "n" }])).toEqual(["x", "y", { someName: "n" }]);
  });
});

class Point {
  private readonly xCoordinate: number;
  constructor(xCoordinate = 0, { isFar = false }: { isFar?: boolean } = {}) {
    this.xCoordinate = isFar ? xCoordinate + 1000 : xCoordinate;
  }
  getPlace(): number {
    return this.xCoordinate;
  }
  static betweenPoints(a: Point, b: Point, { nearA = 0.5 }: { nearA?: number } = {}): Point {
    return new Point(a.getPlace() * nearA + b.getPlace() * (1 - nearA));
  }
  moveBy(step: number, { timesOver = 1 }: { timesOver?: number } = {}): Point {
    return new Point(this.xCoordinate + step * timesOver);
  }
  add(step: number, { timesOver = 1 }: { timesOver?: number } = {}): Point {
    return new Point(this.xCoordinate + step * timesOver);
  }
  get isOrigin(): boolean {
    return this.xCoordinate === 0;
  }
}
class Hidden {
  readonly innerValue = 5;
}
class PointError extends Error {
  readonly errorCode = 3;
}

const api = {
  Point,
  PointError,
  nn: { maxPool: (value: string, { dataFormat = "NHWC" }: { dataFormat?: string } = {}) => `${value} ${dataFormat}` },
  hiddenThing: () => new Hidden(),
  samePoint: (point: Point) => point,
  float32: "float32",
};
const tf = snakeApi(api, {
  Point: "1 x_coordinate= is_far=",
  "Point.add": "1 step times_over=",
  "Point.between_points": "2 a b near_a=",
  "Point.move_by": "1 step times_over=",
  "nn.max_pool": "1 value data_format=",
});

describe("snakeApi", () => {
  it("has TensorFlow's names and no others", () => {
    expect(Object.keys(tf)).toEqual(["Point", "PointError", "nn", "hidden_thing", "same_point", "float32"]);
    expect([tf.float32, "hiddenThing" in tf, "max_pool" in tf.nn, "maxPool" in tf.nn]).toEqual(["float32", false, true, false]);
    expect(tf.nn.max_pool).toBe(tf.nn.max_pool);
    expect(tf.nn.max_pool.name).toBe("max_pool");
  });

  it("maps functions, options typed in snake_case", () => {
    expect([tf.nn.max_pool("v"), tf.nn.max_pool("v", { data_format: "NCHW" }), tf.nn.max_pool("v", "NCHW")]).toEqual([
      "v NHWC",
      "v NCHW",
      "v NCHW",
    ]);
  });

  it("constructs with and without new, keeping instanceof and subclasses", () => {
    const point = new tf.Point(3, { is_far: true });
    expect(point).toBeInstanceOf(Point);
    expect(point).toBeInstanceOf(tf.Point);
    expect(tf.Point(3, true).get_place()).toBe(1003);
    class Own extends Point {}
    expect(new Own(2)).toBeInstanceOf(tf.Point);
  });

  it("knows the orders of methods of classes themselves", () => {
    const between = Reflect.get(tf.Point, "between_points") as (...given: unknown[]) => Point;
    const [a, b] = [new Point(0), new Point(4)];
    expect([between(a, b), between(a, b, 0.25), between(a, b, { near_a: 1 })].map(point => point.getPlace())).toEqual([2, 3, 0]);
  });

  it("gives back the same object under both spellings", () => {
    const point = new Point(0);
    const same = tf.same_point(point);
    expect(same).toBe(point);
    expect([same.get_place(), same.is_origin, same.move_by(2, { times_over: 3 }).getPlace(), same.move_by(2, 3).get_place()]).toEqual([
      0,
      true,
      6,
      6,
    ]);
  });

  it("lets a method whose name is the same in both take both forms", () => {
    const point = new Point(1);
    tf.same_point(point);
    expect(point.add(2, { timesOver: 2 }).getPlace()).toBe(5);
    const both: { add(...args: unknown[]): Point } = point;
    expect([both.add(2, 2).getPlace(), both.add(2, { times_over: 2 }).getPlace(), both.add(2).getPlace()]).toEqual([5, 5, 3]);
  });

  it("reaches classes that are not exported, and errors", () => {
    expect(tf.hidden_thing().inner_value).toBe(5);
    const error = new tf.PointError("far");
    expect([error.error_code, error instanceof Error, error.message, String(error)]).toEqual([3, true, "far", "Error: far"]);
    expect((new Point(1) as { nothing_here?: unknown }).nothing_here).toBeUndefined();
  });
});

describe("what is not there", () => {
  it("is named, with the nearest name", () => {
    expect(() => Reflect.get(tf, "poool")).toThrow(/^module 'tf' has no attribute 'poool'/);
    expect(Reflect.get(tf, "then")).toBeUndefined();
    expect("poool" in tf).toBe(false);
  });

  it("says what to use where TensorFlow itself dropped it", () => {
    const { layers } = contrib as { layers: Record<string, (...given: unknown[]) => unknown> };
    expect(() => layers.xavier_initializer()).toThrow(
      "tf.contrib.layers.xavier_initializer is not part of tensorloom.\n\nWrite tf.glorot_uniform_initializer()",
    );
    expect(() => layers.instance_norm("x")).toThrow("tf.nn.moments(x, [1, 2], { keep_dims: true })");
  });

  it("has types under their short names", () => {
    const cast = parseSignature("cast", "2 x dtype name?");
    expect(arrangeArguments(cast, ["x", "float"])).toEqual(["x", "float32"]);
    expect(arrangeArguments(cast, ["x", { dtype: "double" }])).toEqual(["x", "float64"]);
  });
});
