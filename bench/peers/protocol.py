"""What bench/peers.ts asks and a peer in Python answers.

Lines `start NAME`, `time SECONDS`, `stop` come in; each is answered by one line of JSON, `{"error": TEXT}` where the peer cannot.
"""
import json
import sys
import time


PATIENCE = 1.0
"""Seconds beyond which a turn is over, though there are fewer than three times."""


def timed(step, seconds):
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or (len(times) < 3 and time.perf_counter() < end + PATIENCE):
        began = time.perf_counter()
        step()
        times.append((time.perf_counter() - began) * 1e3)
    return {"times_ms": times}


def serve(version, workloads, start):
    """`start(name)` builds a workload and returns a function that does one step of it and waits for the end."""
    print(json.dumps({"version": version}), flush=True)
    step = None
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "stop":
            return
        try:
            if command == "time":
                answer = timed(step, float(arguments[0]))
            elif arguments[0] not in workloads:
                answer = {"error": "it has no such workload"}
            else:
                began = time.perf_counter()
                step = start(arguments[0])
                step()
                answer = {"first_ms": (time.perf_counter() - began) * 1e3}
                timed(step, 0.2)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {str(error)[:200]}"}
        print(json.dumps(answer), flush=True)
