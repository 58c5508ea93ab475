// SPDX-License-Identifier: Apache-2.0
//
// A shop in front of the order service, which it knows by name alone: daprd
// finds it. The shop has no store.
"use strict";

const { setTimeout: sleep } = require("node:timers/promises");
const { DaprClient, HttpMethod } = require("@dapr/dapr");

const BASKETS = [
  { customer: "ann", item: "tea", count: 2 },
  { customer: "bob", item: "tea", count: 1 },
  { customer: "eve", item: "cup", count: 2 },
  { customer: "dee", item: "tea", count: 1 }, // but she never orders
];

async function main() {
  const dapr = new DaprClient();
  // The order service's answer; an error of its own is one of ours.
  const ask = async (method, data) => {
    const { answer, error } = await dapr.invoker.invoke("orders", method, HttpMethod.POST, data);
    if (error) throw new Error(`${method}: ${error}`);
    return answer;
  };
  try {
    await run(ask);
  } finally {
    await dapr.stop();
  }
}

async function run(ask) {
  await ask("deliver", { tea: 1, cup: 1 });
  console.log("on the shelf:", JSON.stringify(await ask("count", ["tea", "cup"])));

  await ask("fill", BASKETS);
  console.log("in baskets:  ", BASKETS.map(({ customer }) => customer).join(", "));

  // Four lorries at one door: each delivery counts.
  await Promise.all([1, 2, 3, 4].map(() => ask("deliver", { tea: 1 })));
  console.log("on the shelf:", JSON.stringify(await ask("count", ["tea", "cup"])));

  // Ann's is asked for twice, as by a caller that got no answer; it is one order.
  const ids = ["1", "2", "3"];
  for (const [i, id] of [...ids.entries(), [0, "1"]]) {
    await ask("order", { id, customer: BASKETS[i].customer });
  }

  const orders = await settled(ask, ids);
  for (const { id, customer, item, count, status } of orders) {
    console.log(`order ${id}:     ${count} ${item} for ${customer}: ${status}`);
  }
  console.log("on the shelf:", JSON.stringify(await ask("count", ["tea", "cup"])));
}

// The orders once none is only placed: the service confirms in its own time.
async function settled(ask, ids) {
  for (let tries = 0; tries < 300; tries++) {
    const orders = await ask("find", ids);
    if (!orders.some(({ status }) => status === "placed")) return orders;
    await sleep(100);
  }
  throw new Error("half a minute has passed and an order is not confirmed");
}

main().catch((error) => {
  console.error("failed:", error.message);
  process.exitCode = 1;
});
