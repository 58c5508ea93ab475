// SPDX-License-Identifier: Apache-2.0
//
// An order service on Dapr's own SDK. A basket is kept for half an hour. Ordering
// takes the basket and leaves an order, in one transaction, of which daprd tells
// us in a message (the outbox): then the goods are taken from the shelf.
//
// So no step is lost and none counts twice, whenever this process dies: the
// message comes again until we have dealt with it.
//
// Two habits of the SDK shape this code. `save` does not throw when it is
// refused, it returns { error }. And a handler must not throw: a request's would
// end the process, and a message's would count as dealt with.
"use strict";

const {
  DaprPubSubStatusEnum: Status,
  DaprServer,
  HttpMethod,
  StateConcurrencyEnum: Concurrency,
} = require("@dapr/dapr");

const STORE = "statestore";
const OUTBOX = "outbox"; // the same store; transactions here are published
const FIRST_WRITE = { concurrency: Concurrency.CONCURRENCY_FIRST_WRITE };

// Ports come from APP_PORT and DAPR_HTTP_PORT, which `dapr run` sets.
const server = new DaprServer();
const { state } = server.client;

// The items of these keys, in their order. A missing one has no data. Of a bulk
// read each item has its ETag, which `get` drops.
async function read(...keys) {
  const items = await state.getBulk(STORE, keys);
  return keys.map((key) => items.find((item) => item.key === key));
}

async function save(...items) {
  const { error } = await state.save(STORE, items);
  if (error) throw error;
}

function upsert(key, value, etag) {
  return { operation: "upsert", request: { key, value, etag, options: FIRST_WRITE } };
}

// daprd reports a conflict in a transaction as a fault of its own, HTTP 500; its
// text tells it apart, on every store. Nothing was written.
const isConflict = (error) => /etag mismatch/.test(error.message);

// Reads, decides and writes under the ETags that it read; after a conflict once
// more, from the read on.
async function retry(attempt) {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
}

// POST deliver {tea: 3, cup: 1}: puts goods on the shelf, all or none.
const deliver = (goods) => retry(async () => {
  const names = Object.keys(goods);
  const shelf = await read(...names.map((name) => `goods-${name}`));
  await state.transaction(STORE, shelf.map((item, i) =>
    upsert(item.key, (item.data ?? 0) + goods[names[i]], item.etag)));
});

// POST count ["tea", "cup"]: what is on the shelf.
async function count(names) {
  const shelf = await read(...names.map((name) => `goods-${name}`));
  return Object.fromEntries(names.map((name, i) => [name, shelf[i].data ?? 0]));
}

// POST fill [{customer, item, count}, ...]: one save for all baskets. One that
// nobody orders is gone after half an hour.
async function fill(baskets) {
  await save(...baskets.map(({ customer, ...goods }) => ({
    key: `basket-${customer}`,
    value: goods,
    metadata: { ttlInSeconds: "1800" },
  })));
}

// POST order {id, customer}. It may be asked again: the order is there once.
const order = ({ id, customer }) => retry(async () => {
  const [known, basket] = await read(`order-${id}`, `basket-${customer}`);
  if (known.data) return known.data;
  if (!basket.data) throw new Error(`${customer} has no basket`);

  const placed = { id, customer, ...basket.data, status: "placed" };
  const add = upsert(`order-${id}`, placed);
  // Without it daprd would publish what its own language makes of an object.
  add.request.metadata = { contentType: "application/json" };
  await state.transaction(OUTBOX, [
    add,
    { operation: "delete", request: { key: `basket-${customer}`, etag: basket.etag } },
  ]);
  return placed;
});

// POST find ["1", "2"]: orders of these numbers.
const find = async (ids) =>
  (await read(...ids.map((id) => `order-${id}`))).map((item) => item.data);

// The message of an order. It comes at least once, and so perhaps again: then
// the order's status says that there is nothing left to do. Order and shelf
// change together or not at all.
const confirm = ({ id, item, count }) => retry(async () => {
  const [order, goods] = await read(`order-${id}`, `goods-${item}`);
  if (order.data?.status !== "placed") return;
  const left = (goods.data ?? 0) - count;
  await state.transaction(STORE, left < 0
    ? [upsert(order.key, { ...order.data, status: "sold out" }, order.etag)]
    : [upsert(order.key, { ...order.data, status: "confirmed" }, order.etag),
       upsert(goods.key, left, goods.etag)]);
});

async function main() {
  for (const handle of [deliver, count, fill, order, find]) await listen(handle);
  await server.pubsub.subscribe("broker", "orders", async (message) => {
    try {
      await confirm(message);
    } catch (error) {
      console.error("not yet confirmed:", error);
      return Status.RETRY;
    }
  });
  await server.start();
}

// What a request is answered: { answer } or { error }.
const listen = (handle) => server.invoker.listen(handle.name, async ({ body }) => {
  try {
    return { answer: await handle(JSON.parse(body)) };
  } catch (error) {
    return { error: error.message };
  }
}, { method: HttpMethod.POST });

main().catch((error) => {
  console.error("failed:", error);
  process.exit(1);
});
