# SPDX-License-Identifier: Apache-2.0
"""An order service's state, on Dapr's own SDK.

Nothing here knows that the store is state.cpp: the component's file says it.
"""

import json
from concurrent.futures import ThreadPoolExecutor

import grpc
from dapr.clients import DaprClient
from dapr.clients.exceptions import DaprGrpcError
from dapr.clients.grpc._state import Concurrency, StateOptions

STORE = "statestore"
ORDER = "order-1"
CLERKS = 8

# A save with an ETag replaces that very version or is refused.
FIRST_WRITE = StateOptions(concurrency=Concurrency.first_write)


def read(dapr, key):
    """The value and the ETag that names this version of it."""
    state = dapr.get_state(STORE, key)
    return (json.loads(state.data) if state.data else None), state.etag


def replace(dapr, key, value, etag):
    """False where somebody has written the key since it was read."""
    try:
        dapr.save_state(STORE, key, json.dumps(value), etag=etag, options=FIRST_WRITE)
        return True
    except DaprGrpcError as error:
        if error.code() == grpc.StatusCode.ABORTED:
            return False
        raise  # not a conflict: to try again would not help


def add_one(dapr, key):
    """Read, change, replace; after a conflict once more, from the read on.

    Of those that try at once one gets through, so that none tries more often
    than there are others.
    """
    for _ in range(CLERKS):
        order, etag = read(dapr, key)
        order["count"] += 1
        if replace(dapr, key, order, etag):
            return
    raise RuntimeError(f"{key}: still in conflict after {CLERKS} tries")


def main():
    # Where daprd is comes from DAPR_GRPC_PORT, which `dapr run` sets.
    with DaprClient() as dapr:
        # The store sees the key as `<app id>||order-1`: by default each app has
        # its keys to itself. After an hour the value is gone.
        order = {"item": "tea", "count": 1}
        dapr.save_state(STORE, ORDER, json.dumps(order), state_metadata={"ttlInSeconds": "3600"})
        print("saved   ", ORDER, "=", json.dumps(order), "for an hour")

        order, etag = read(dapr, ORDER)
        print("read    ", ORDER, "=", json.dumps(order))

        order["count"] = 2
        if not replace(dapr, ORDER, order, etag):
            raise RuntimeError("nobody else was there, and yet there was a conflict")
        print("updated ", ORDER, "=", json.dumps(order), "under its ETag")

        # That version is gone.
        if replace(dapr, ORDER, order, etag):
            raise RuntimeError("a stale ETag was accepted")
        print("refused ", ORDER, "under its stale ETag")

        # What a service does all day: many change one value, and no change is lost.
        with ThreadPoolExecutor(CLERKS) as clerks:
            list(clerks.map(lambda _: add_one(dapr, ORDER), range(CLERKS)))
        order, _ = read(dapr, ORDER)
        print("together", CLERKS, "clerks added one each:", ORDER, "=", json.dumps(order))

        # A missing key is no error: it reads as empty.
        dapr.delete_state(STORE, ORDER)
        print("deleted ", ORDER, "=", read(dapr, ORDER)[0])


if __name__ == "__main__":
    main()
