"""Calls by several threads that begin together."""

import threading


def at_once(*calls):
    """Results of calls from as many threads that begin together."""
    gate, results = threading.Barrier(len(calls)), [None] * len(calls)

    def one(i):
        gate.wait()
        results[i] = [calls[i]() for _ in range(200)]

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
