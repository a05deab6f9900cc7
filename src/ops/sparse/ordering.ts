// An order of the rows of a symmetric sparse matrix that keeps its Cholesky factor sparse: approximate minimum degree, after Amestoy, Davis and Duff
// (SIAM J. Matrix Anal. Appl. 17, 1996) and Davis, "Direct Methods for Sparse Linear Systems" (2006), section 7.1. Which of several equal choices
// is taken follows from the order of lists; it is the one that gives Eigen's, hence TensorFlow's, permutations.

/** A row: a variable still to be ordered, an element (an ordered one, whose variables form a clique), or part of another node. */
interface GraphNode {
  readonly id: number;
  /** Of a variable: the elements it belongs to, newest first but for one, and the variables it touches otherwise. */
  elements: GraphNode[];
  /** Of a variable: its neighbors outside elements. Of an element: its variables. */
  variables: GraphNode[];
  /** How many rows it stands for; 0 once it is part of another. */
  weight: number;
  /** Of a variable: a bound of its external degree. Of an element: the weight of its variables. */
  degree: number;
  /** What it became a part of. */
  parent: GraphNode | undefined;
  /** In the pivot's clique at the moment. */
  inClique: boolean;
  /** What marked it last: a pivot that measured it, or a variable that others are compared with. */
  stamp: number;
  /** Of a measured element: the weight of its variables outside the pivot's clique. */
  outside: number;
  previous: GraphNode | undefined;
  next: GraphNode | undefined;
}

/** Variables by degree; of one degree the latest comes first. */
class DegreeLists {
  private readonly heads: (GraphNode | undefined)[];
  private least = 0;

  constructor(n: number) {
    this.heads = new Array<GraphNode | undefined>(n + 1).fill(undefined);
  }

  put(node: GraphNode): void {
    const head = this.heads[node.degree];
    if (head) head.previous = node;
    node.next = head;
    node.previous = undefined;
    this.heads[node.degree] = node;
    this.least = Math.min(this.least, node.degree);
  }

  drop({ previous, next, degree }: GraphNode): void {
    if (next) next.previous = previous;
    if (previous) previous.next = next;
    else this.heads[degree] = next;
  }

  takeLeast(): GraphNode {
    let node = this.heads[this.least];
    while (!node) node = this.heads[++this.least];
    this.drop(node);
    return node;
  }
}

/** The rows in the order of elimination. neighbors: of each row, the columns of its entries in ascending order, its diagonal among them. */
export function minimumDegreeOrder(neighbors: readonly (readonly number[])[]): number[] {
  const n = neighbors.length;
  const nodes = neighbors.map(
    (columns, id): GraphNode => ({
      id,
      elements: [],
      variables: [],
      weight: 1,
      degree: columns.length,
      parent: undefined,
      inClique: false,
      stamp: -1,
      outside: 0,
      previous: undefined,
      next: undefined,
    }),
  );
  for (const [i, columns] of neighbors.entries()) nodes[i].variables = columns.map(j => nodes[j]);

  const lists = new DegreeLists(n);
  const full = Math.min(n - 2, Math.max(16, Math.trunc(10 * Math.sqrt(n))));
  // Nearly full rows come last, and so do rows without a diagonal.
  const last: GraphNode[] = [];
  let done = 0;
  for (const node of nodes) {
    const hasDiagonal = node.variables.includes(node);
    if (node.degree === 1 && hasDiagonal) done++;
    else if (node.degree > full || !hasDiagonal) {
      node.weight = 0;
      last.push(node);
      done++;
    } else lists.put(node);
  }

  let stamp = 0;
  while (done < n) {
    const pivot = lists.takeLeast();
    done += pivot.weight;
    const clique = gatherClique(pivot, lists);
    measureElements(clique, stamp++);
    const buckets = new Map<number, GraphNode[]>();
    for (const variable of clique) {
      if (shortenLists(variable, pivot)) {
        const key = [...variable.elements.slice(1), ...variable.variables].reduce((sum, { id }) => sum + id, 0) % n;
        const bucket = buckets.get(key);
        if (bucket) bucket.unshift(variable);
        else buckets.set(key, [variable]);
      } else {
        // Nothing but the pivot's clique is left around it: it is eliminated with the pivot.
        done += variable.weight;
        pivot.degree -= variable.weight;
        become(variable, pivot);
      }
    }
    for (const bucket of buckets.values()) stamp = mergeEqual(bucket, stamp);
    pivot.variables = clique.filter(variable => variable.weight > 0);
    for (const variable of clique) variable.inClique = false;
    for (const variable of pivot.variables) {
      variable.degree = Math.min(variable.degree + pivot.degree - variable.weight, n - done - variable.weight);
      lists.put(variable);
    }
  }
  return postorder(nodes, last);
}

/** Makes `part` a part of `whole`: they are ordered together. */
function become(part: GraphNode, whole: GraphNode): void {
  whole.weight += part.weight;
  part.weight = 0;
  part.parent = whole;
}

/** The variables that meet in the pivot, taken off the lists; its elements are absorbed, and it is an element from here on. */
function gatherClique(pivot: GraphNode, lists: DegreeLists): GraphNode[] {
  const clique: GraphNode[] = [];
  pivot.inClique = true;
  pivot.degree = 0;
  for (const source of [...pivot.elements, pivot]) {
    for (const variable of source.variables) {
      if (variable.weight === 0 || variable.inClique) continue;
      variable.inClique = true;
      pivot.degree += variable.weight;
      clique.push(variable);
      lists.drop(variable);
    }
    if (source !== pivot) source.parent = pivot;
  }
  return clique;
}

/** How much of each element around the clique lies outside it. */
function measureElements(clique: readonly GraphNode[], stamp: number): void {
  for (const { elements, weight } of clique)
    for (const element of elements) {
      if (element.stamp !== stamp) element.outside = element.degree;
      element.stamp = stamp;
      element.outside -= weight;
    }
}

/** Drops from the variable's lists what the pivot covers, absorbing elements that lie in its clique, and bounds its degree. False if nothing is left. */
function shortenLists(variable: GraphNode, pivot: GraphNode): boolean {
  for (const element of variable.elements) if (element.outside <= 0) element.parent ??= pivot;
  const elements = variable.elements.filter(({ parent }) => !parent);
  const variables = variable.variables.filter(({ weight, inClique }) => weight > 0 && !inClique);
  const around = elements.reduce((sum, { outside }) => sum + outside, 0) + variables.reduce((sum, { weight }) => sum + weight, 0);
  if (around === 0) return false;
  variable.degree = Math.min(variable.degree, around);
  variable.elements = [pivot, ...elements.slice(1), ...elements.slice(0, 1)];
  variable.variables = [...variables.slice(1), ...variables.slice(0, 1)];
  return true;
}

/** Makes one of all variables of a bucket that have the same lists. */
function mergeEqual(bucket: GraphNode[], first: number): number {
  let stamp = first;
  for (let at = 0; at < bucket.length - 1; at++, stamp++) {
    const one = bucket[at];
    for (const node of [...one.elements, ...one.variables]) node.stamp = stamp;
    for (let other = at + 1; other < bucket.length; ) {
      const { elements, variables } = bucket[other];
      const isEqual =
        elements.length === one.elements.length &&
        variables.length === one.variables.length &&
        [...elements, ...variables].every(node => node.stamp === stamp);
      if (isEqual) become(bucket.splice(other, 1)[0], one);
      else other++;
    }
  }
  return stamp;
}

/** All nodes, each behind its children: elements first, then parts, each in ascending order. */
function postorder(nodes: readonly GraphNode[], last: readonly GraphNode[]): number[] {
  const children = new Map<GraphNode | undefined, GraphNode[]>();
  const isLast = new Set(last);
  for (const isElement of [true, false])
    for (const node of nodes) {
      if (node.weight > 0 !== isElement || isLast.has(node)) continue;
      const siblings = children.get(node.parent);
      if (siblings) siblings.push(node);
      else children.set(node.parent, [node]);
    }
  const order: number[] = [];
  const open = [...(children.get(undefined) ?? [])].reverse();
  const entered = new Set<GraphNode>();
  while (open.length > 0) {
    const node = open[open.length - 1];
    if (entered.has(node)) {
      order.push(node.id);
      open.pop();
    } else {
      entered.add(node);
      open.push(...[...(children.get(node) ?? [])].reverse());
    }
  }
  return [...order, ...last.map(({ id }) => id)];
}
