// SPDX-License-Identifier: Apache-2.0
//
// What an application does with state, on Dapr's own SDK. Nothing here knows
// that the store is state.cpp: the component's file says it.
//
// Two habits of the SDK shape this code. `save` and `delete` do not throw when
// they are refused, they return { error }; and `get` drops the ETag, so a value
// that is to be changed under its ETag is read with `getBulk`.
"use strict";

const {
  DaprClient,
  StateConcurrencyEnum: Concurrency,
  StateConsistencyEnum: Consistency,
} = require("@dapr/dapr");

const STORE = "statestore";

// Without this line a refused save passes for a successful one.
function check(result) {
  if (result?.error) throw result.error;
}

async function main() {
  // Host and port come from DAPR_HTTP_PORT, which `dapr run` sets.
  const dapr = new DaprClient();
  try {
    await run(dapr.state);
  } finally {
    await dapr.stop();
  }
}

async function run(state) {
  // 1. Save. It takes an array, also for one item. The store sees the key as
  //    `<app id>||orderId`: by default each app has its keys to itself. After
  //    an hour the value is gone.
  check(await state.save(STORE, [
    { key: "orderId", value: { n: 1 }, metadata: { ttlInSeconds: "3600" } },
  ]));
  console.log("saved    orderId =", JSON.stringify({ n: 1 }), "for an hour");

  // 2. Read the value together with its ETag, which names this very version.
  const [current] = await state.getBulk(STORE, ["orderId"]);
  console.log("read     orderId =", JSON.stringify(current.data));

  // 3. Replace it, but only if nobody has written it since step 2.
  const update = {
    key: "orderId",
    value: { n: current.data.n + 1 },
    etag: current.etag,
    options: {
      concurrency: Concurrency.CONCURRENCY_FIRST_WRITE,
      consistency: Consistency.CONSISTENCY_STRONG,
    },
  };
  check(await state.save(STORE, [update]));
  console.log("updated  orderId =", JSON.stringify(update.value), "under its ETag");

  // 4. Try it once more with the same ETag. That version is gone, so Dapr
  //    answers 409 and the SDK logs it. An app would go back to step 2.
  const { error } = await state.save(STORE, [update]);
  if (!error) throw new Error("a stale ETag was accepted");
  console.log("refused  orderId: its ETag was stale");

  // 5. Several writes that happen all or not at all. A transaction does throw.
  await state.transaction(STORE, [
    { operation: "upsert", request: { key: "shipped", value: "1" } },
    { operation: "delete", request: { key: "orderId" } },
  ]);
  console.log("together shipped = \"1\", orderId deleted");

  // 6. A missing key is no error: it reads as the empty string.
  console.log("read     shipped =", JSON.stringify(await state.get(STORE, "shipped")));
  console.log("read     orderId =", JSON.stringify(await state.get(STORE, "orderId")));
}

main().catch((error) => {
  console.error("failed:", error);
  process.exitCode = 1;
});
