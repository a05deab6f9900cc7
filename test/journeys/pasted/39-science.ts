// Numbers of science: Newton, a Gaussian process, a Kalman filter, an equation solved by a network, MAML, EM: its twin in Python line by line, in the main door.

import * as tf from "tensorloom";
import { range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.setRandomSeed(8);
  const list = (a: tf.NDArray): number[] => [...a.data].map(Number);
  const each = (a: tf.NDArray, of: (x: number) => number) =>
    tf.NDArray.from(
      list(a).map(x => Math.fround(of(x))),
      "float32",
      [...a.shape],
    );
  const gradient = (of: tf.Tensor, to: tf.Tensor | tf.Variable) => tf.convertToTensor(tf.gradients(of, to)[0]!);
  // Newton's method on a logistic regression
  const X = tf.constant(each(rnd(1, 20, 3), x => x - 0.5)),
    y = tf.constant(each(rnd(2, 20), v => Number(v > 0.5))),
    w = new tf.Variable(tf.zeros([3]), { name: "w" });
  const nll = tf
    .reduceSum(tf.nn.sigmoidCrossEntropyWithLogits({ labels: y, logits: tf.tensordot(X, w, 1) }))
    .add(tf.multiply(0.05, tf.reduceSum(w.pow(2))));
  const grad = gradient(nll, w),
    hess = tf.hessians(nll, w)[0];
  const newton = w.assignSub(tf.squeeze(tf.matrixSolve(hess, grad.at([], null)), 1));
  // a Gaussian process
  const Xg = tf.constant(
      each(rnd(3, 8, 1), x => x * 4),
      { name: "Xg" },
    ),
    yg = tf.sin(Xg.at([], 0)),
    Xs = tf.constant([[0.5], [2.5]]);
  const starts: [string, number][] = [
    ["l", 1.0],
    ["s", 1.0],
    ["n", 0.2],
  ];
  const ln = starts.map(([n, v]) => new tf.Variable(tf.log(v), { name: `ln_${n}` }));
  const [ls, sig, noise] = ln.map(v => tf.exp(v));
  const rbf = (a: tf.Tensor, b: tf.Tensor) =>
    sig.pow(2).mul(tf.exp(tf.multiply(-0.5, tf.squaredDifference(a.at([], null, 0).div(ls), b.at(null, [], 0).div(ls)))));
  const L = tf.cholesky(rbf(Xg, Xg).add(noise.pow(2).add(1e-5).mul(tf.eye(8))));
  const alpha = tf.choleskySolve(L, yg.at([], null));
  const evidence = tf
    .multiply(0.5, tf.squeeze(tf.matmul(yg.at(null), alpha)))
    .add(tf.reduceSum(tf.log(tf.matrixDiagPart(L))))
    .add(4.0 * Math.log(2 * Math.PI));
  const ks = rbf(Xg, Xs),
    mean = tf.matmul(ks, alpha, { transposeA: true }),
    v = tf.matrixTriangularSolve(L, ks),
    cov = rbf(Xs, Xs).sub(tf.matmul(v, v, { transposeA: true }));
  const gpStep = new tf.train.AdamOptimizer(0.1).minimize(evidence, { varList: ln });
  // a Kalman filter, whose noise is learned
  const obs = tf.placeholder(tf.float64, [null, 1], { name: "obs" }),
    F = tf.constant(
      [
        [1.0, 1.0],
        [0.0, 1.0],
      ],
      tf.float64,
    ),
    Hm = tf.constant([[1.0, 0.0]], tf.float64);
  const logQ = new tf.Variable(Math.log(0.1), { dtype: tf.float64, name: "log_q" }),
    Q = tf.exp(logQ).mul(tf.eye(2, { dtype: tf.float64 })),
    R = tf.constant([[0.3]], tf.float64);
  function kalman([m0, P0]: tf.Tensor[], z: tf.Tensor) {
    const m = tf.matmul(F, m0),
      P = tf.matmul(tf.matmul(F, P0), F, { transposeB: true }).add(Q);
    const e = z.at([], null).sub(tf.matmul(Hm, m)),
      S = tf.matmul(Hm, tf.matmul(P, Hm, { transposeB: true })).add(R);
    const K = tf.matmul(P, tf.matmul(Hm, tf.matrixInverse(S), { transposeA: true }));
    return [
      m.add(tf.matmul(K, e)),
      tf.matmul(tf.eye(2, { dtype: tf.float64 }).sub(tf.matmul(K, Hm)), P),
      tf.multiply(
        -0.5,
        tf
          .squeeze(e.pow(2).div(S))
          .add(tf.linalg.logdet(S))
          .add(Math.log(2 * Math.PI)),
      ),
    ];
  }
  const [ms, Ps, lls] = tf.scan(kalman, obs, {
    initializer: [tf.zeros([2, 1], tf.float64), tf.eye(2, { dtype: tf.float64 }), tf.zeros([], tf.float64)],
  });
  const ll = tf.reduceSum(lls),
    qGrad = gradient(ll.neg(), logQ),
    kalmanStep = new tf.train.GradientDescentOptimizer(0.05).minimize(ll.neg(), { varList: [logQ] });
  // u'' = -u and a heat equation's residual in two inputs
  const xt = tf.placeholder(tf.float32, [null, 2]);
  const net = (x: tf.Tensor) =>
    tf.variableScope("pinn", { reuse: tf.AUTO_REUSE }, () =>
      tf.layers.dense(tf.layers.dense(x, 6, { activation: tf.tanh, name: "h", kernelInitializer: tf.glorotNormalInitializer() }), 1, {
        name: "o",
      }),
    );
  const u = net(xt),
    ux = gradient(u, xt),
    ut = ux.at([], [1, 2]),
    uxx = gradient(ux.at([], [0, 1]), xt).at([], [0, 1]),
    uxxx = gradient(uxx, xt).at([], [0, 1]);
  const pinnLoss = tf
    .reduceMean(tf.square(ut.sub(tf.multiply(0.1, uxx)).add(tf.multiply(0.01, uxxx))))
    .add(tf.reduceMean(tf.square(net(xt.mul([1.0, 0.0])).sub(tf.sin(xt.at([], [null, 1]))))));
  const pinnVars = tf.trainableVariables("pinn"),
    pinnStep = new tf.train.AdamOptimizer(0.02).minimize(pinnLoss, { varList: pinnVars });
  // MAML: inner steps of gradients, meta-gradients through them
  const tasksX = tf.placeholder(tf.float32, [null, 5, 1]),
    tasksY = tf.placeholder(tf.float32, [null, 5, 1]);
  type Weights = Record<string, tf.Variable | tf.Tensor>;
  const weights = {
    w1: new tf.Variable(tf.truncatedNormal([1, 4], { stddev: 0.5 }), { name: "w1" }),
    b1: new tf.Variable(tf.zeros([4]), { name: "b1" }),
    w2: new tf.Variable(tf.truncatedNormal([4, 1], { stddev: 0.5 }), { name: "w2" }),
  };
  const forward = (x: tf.Tensor, { w1, b1, w2 }: Weights) => tf.matmul(tf.nn.softplus(tf.matmul(x, w1).add(b1)), w2);
  function task(x: tf.Tensor, yy: tf.Tensor) {
    let fast: Weights = weights;
    for (const _ of range(2)) {
      const inner = tf.reduceMean(tf.square(forward(x.at([null, 3]), fast).sub(yy.at([null, 3]))));
      const gs = tf.gradients(inner, Object.values(fast));
      fast = Object.fromEntries(Object.entries(fast).map(([k, v], i) => [k, v.sub(tf.multiply(0.1, gs[i]!))]));
    }
    return tf.reduceMean(tf.square(forward(x.at([3, null]), fast).sub(yy.at([3, null]))));
  }
  const losses = tf.stack(range(2).map(i => task(tasksX.at(i), tasksY.at(i)))),
    meta = tf.reduceMean(losses);
  const metaOpt = new tf.train.AdamOptimizer(0.05),
    gvs = metaOpt
      .computeGradients(meta, { varList: Object.values(weights) })
      .map(([g, v]) => [tf.clipByValue(g as tf.Tensor, -10, 10), v] as const),
    metaStep = metaOpt.applyGradients(gvs);
  // a mixture of Gaussians by EM, k-means for its start
  const pts = tf.constant([...(rnd(6, 6, 2).toArray() as number[][]), ...(each(rnd(7, 5, 2), x => x + 2).toArray() as number[][])]),
    mu = new tf.Variable(tf.gather(pts, [0, 7]), { name: "mu" }),
    pi = new tf.Variable([0.5, 0.5]),
    variance = new tf.Variable([1.0, 1.0]);
  const near = tf.argmin(tf.reduceSum(tf.squaredDifference(pts.at([], null), mu.at(null)), 2), 1),
    counts = tf.bincount(tf.cast(near, tf.int32), { minlength: 2 });
  const kmeans = mu.assign(tf.unsortedSegmentSum(pts, near, 2).div(tf.cast(counts.at([], null), tf.float32)));
  const logp = tf
    .log(pi)
    .sub(tf.log(tf.multiply(2 * Math.PI, variance)))
    .sub(tf.reduceSum(tf.squaredDifference(pts.at([], null), mu.at(null)), 2).div(tf.multiply(2, variance)));
  const resp = tf.exp(logp.sub(tf.reduceLogsumexp(logp, 1, { keepdims: true }))),
    nk = tf.reduceSum(resp, 0),
    newMu = tf.matmul(resp, pts, { transposeA: true }).div(nk.at([], null));
  const newVar = tf.einsum("nk,nkd->k", resp, tf.squaredDifference(pts.at([], null), newMu.at(null))).div(tf.multiply(2, nk));
  const em = tf.group(mu.assign(newMu), variance.assign(newVar), pi.assign(nk.div(11.0))),
    emLl = tf.reduceSum(tf.reduceLogsumexp(logp, 1));
  await using sess = new tf.Session();
  await sess.run(tf.globalVariablesInitializer());
  for (const _ of range(3)) await sess.run(newton);
  show("newton", await sess.run([w, nll]));
  show("hess", await sess.run(hess));
  show(
    "grad",
    list(await sess.run(grad)).map(g => Math.abs(g) < 1e-4),
  );
  for (const _ of range(4)) await sess.run(gpStep);
  show("gp", await sess.run([evidence, mean, cov, ...ln]));
  let total = 0;
  const sums = list(rnd(4, 12, 1)).map(x => [(total = Math.fround(total + x))]);
  for (const _ of range(3)) await sess.run(kalmanStep, [[obs, sums]]);
  show("kalman", await sess.run([ll, qGrad, ms, Ps.at(-1)], [[obs, sums]]));
  for (const i of range(4)) show("pinn", (await sess.run([pinnLoss, pinnStep], [[xt, rnd(i, 9, 2)]]))[0]);
  show("u", await sess.run([uxx, uxxx], [[xt, rnd(9, 3, 2)]]));
  for (const i of range(3)) {
    const [l] = await sess.run(
      [losses, metaStep],
      [
        [tasksX, rnd(i, 2, 5, 1)],
        [tasksY, rnd(i + 70, 2, 5, 1)],
      ],
    );
    show("meta", l);
  }
  show("weights", await sess.run(Object.values(weights)));
  for (const _ of range(2)) await sess.run(kmeans);
  show("kmeans", await sess.run([mu, counts]));
  for (const _ of range(3)) await sess.run(em);
  show("em", await sess.run([mu, variance, pi, emLl]));
}
