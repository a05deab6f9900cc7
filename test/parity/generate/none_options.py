"""What TensorFlow says of None for options with another default: python -m generate.none_options DIR … --out none-options.json

Each public function is called as in recorded cases and working_calls.py, one option at a time given as None. Options that every such call refuses in
the same words are written down, {"nn.moments": {"keepdims": "ValueError: None values …"}}; generate-api.ts puts them into the compat door's table.
"""
import argparse
import collections
import json
import os
import signal

from . import spoiled
from .tfenv import tf


def asked(program):
    """The last call with each option of another default given as None."""
    ins = program[-1]
    order, defaults = spoiled.defaults_of(ins["fn"])
    for name, default in defaults.items():
        if default is None:
            continue
        at = order.index(name)
        args = list(ins.get("args", []))
        if at < len(args):
            new = dict(ins, args=args[:at] + [None] + args[at + 1:])
        else:
            new = dict(ins, kwargs={**(ins.get("kwargs") or {}), name: None})
        yield name, program[:-1] + [new]


def answers(key, program):
    with tf.Graph().as_default():
        spoiled.Interp().run(program)
    for name, changed in asked(program):
        signal.alarm(spoiled.PATIENCE)
        case = spoiled.answer(key, name, changed)
        signal.alarm(0)
        error = case and case.get("error")
        yield name, f"{error['class']}: {error['message']}" if error else ""


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("dirs", nargs="*")
    ap.add_argument("--out", required=True)
    ap.add_argument("--only", default="")
    a = ap.parse_args()
    found = collections.defaultdict(lambda: collections.defaultdict(set))
    for key, program in spoiled.templates(a.dirs, 8, a.only):
        if program[-1]["do"] != "call" or key.startswith("raw_ops."):
            continue
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            try:
                os.write(writer, json.dumps(list(answers(key, program))).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as f:
            text = f.read()
        os.wait()
        for name, said in json.loads(text or "[]"):
            found[spoiled.identity(key), key][name].add(said)
    words = {}
    for (_, key), options in found.items():
        # What names a node, or a line of a program, depends on the rest of the call.
        one = {n: min(said) for n, said in options.items() if len(said) == 1 and not any(w in min(said) for w in ("{{node", "/site-packages/", " at 0x"))}
        kept = {n: text for n, text in sorted(one.items()) if text not in ("", "AssertionError: ")}
        if kept:
            words[key] = kept
    with open(a.out, "w") as f:
        json.dump(words, f, indent=1)
    print(sum(map(len, words.values())), "options of", len(words), "functions")


if __name__ == "__main__":
    main()
