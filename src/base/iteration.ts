// How an object is gone through by `for … of` through the compat door: a property with the function that begins, or undefined where that cannot be, so that
// the object is then no iterable to anybody (test libraries compare iterables by going through them).

export const iteration = Symbol("iteration");
