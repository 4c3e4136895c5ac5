"""A lock of redis-py that one test controls: each line of its input is a command, which it answers with a line."""

import sys
import time

from redis import Redis
from redis.exceptions import LockNotOwnedError


def main(host, port, key, lease, inside):
    client = Redis(host=host, port=int(port))
    lock = client.lock(key, timeout=int(lease) / 1000, sleep=0.005)
    print("started", flush=True)
    for line in sys.stdin:
        command = line.split()
        if command[0] == "try":
            print("acquired" if lock.acquire(blocking=False) else "busy", flush=True)
        elif command[0] == "release":
            try:
                lock.release()
                print("released", flush=True)
            except LockNotOwnedError:
                print("lost", flush=True)
        elif command[0] == "work":
            print("overlaps", work(client, lock, inside, int(command[1])), flush=True)
        elif command[0] == "contend":
            contend(client, client.lock(key, timeout=int(lease) / 1000), *command[1:])
            print("stopped", flush=True)


def work(client, lock, inside, times):
    """Acquires and releases the lock. Returns how often another client was inside at the same time."""
    overlaps = 0
    for _ in range(times):
        with lock:
            if client.set(inside, "redis-py", nx=True):
                client.delete(inside)
            else:
                overlaps += 1
    return overlaps


def contend(client, lock, grants, stop):
    """Acquires and releases the lock, with the default pauses, and counts the grants, until a key exists."""
    stopped = False
    while not stopped:
        with lock:
            client.incr(grants)
            time.sleep(0.002)
            stopped = client.exists(stop)


main(*sys.argv[1:])
