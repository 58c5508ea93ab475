// SPDX-License-Identifier: Apache-2.0
//
// Counts, in the state store, how often each of the two apps was here. Both add
// to the same item, so an ETag decides who was first, and the other reads again.
//
//   node app.js NAME
const me = process.argv[2] ?? "app";
const port = process.env.DAPR_HTTP_PORT ?? "3500";
const store = `http://localhost:${port}/v1.0/state/statestore`;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function visit() {
  const answer = await fetch(`${store}/visits`);
  if (!answer.ok) throw new Error(await answer.text());
  const etag = answer.headers.get("etag");
  const text = await answer.text();
  const visits = text ? JSON.parse(text) : {};
  visits[me] = (visits[me] ?? 0) + 1;
  const saved = await fetch(store, {
    method: "POST",
    headers: { "content-type": "application/json" },
    // Without an ETag first-write means that nothing may be there.
    body: JSON.stringify([{ key: "visits", value: visits, ...(etag && { etag }),
      options: { concurrency: "first-write" } }]),
  });
  if (saved.status === 409) return undefined;  // the other was faster
  if (!saved.ok) throw new Error(await saved.text());
  return visits;
}

async function main() {
  for (;;) {
    try {
      const visits = await visit();
      if (visits) console.log(me, JSON.stringify(visits));
    } catch (error) {
      console.log(me, "waits:", error.message);
    }
    await pause(1000);
  }
}

process.on("SIGTERM", () => process.exit(0));
main();
