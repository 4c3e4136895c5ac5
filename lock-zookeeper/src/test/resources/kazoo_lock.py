"""A kazoo client that one test controls: each line of its input is a command, which it answers with a line."""

import sys

from kazoo.client import KazooClient
from kazoo.exceptions import NodeExistsError
from kazoo.recipe.lock import Lock


class CommonLock(Lock):
    """A lock in the layout of Curator's mutex."""

    _NODE_NAME = "-lock-"
    _EXCLUDE_NAMES = ["-lock-"]


def main(address, path, kind, inside):
    client = KazooClient(hosts=address)
    client.start()
    if kind == "common":
        lock = CommonLock(client, path)
    else:
        lock = Lock(client, path, extra_lock_patterns=["-lock-"])
    print("started", flush=True)
    for line in sys.stdin:
        command = line.split()
        if command[0] == "acquire":
            lock.acquire()
            print("acquired", flush=True)
        elif command[0] == "release":
            lock.release()
            print("released", flush=True)
        elif command[0] == "work":
            print("overlaps", work(client, lock, inside, int(command[1])), flush=True)
    client.stop()


def work(client, lock, inside, times):
    """Acquires and releases the lock. Returns how often another client was inside at the same time."""
    overlaps = 0
    for _ in range(times):
        with lock:
            try:
                client.create(inside, ephemeral=True)
                client.delete(inside)
            except NodeExistsError:
                overlaps += 1
    return overlaps


main(*sys.argv[1:])
