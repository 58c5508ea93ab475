// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"statecpp.dev/tests/dapr/sidecar"
)

// Two apps, each with its daprd. The shop's is given the same components, and
// may have none of them.
func TestTheOrderServiceRuns(t *testing.T) {
	folder := installNode(t)
	var components []sidecar.Component
	for _, name := range []string{"statestore", "outbox", "broker"} {
		component, err := sidecar.FromFile(name, filepath.Join(folder, "orders/components", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		components = append(components, component)
	}
	names := t.TempDir()
	orders := sidecar.StartAs(t, sidecar.Setup{
		AppID:   "orders",
		Names:   names,
		Command: []string{"node", filepath.Join(folder, "orders/orders.js")},
	}, components...)
	shop := orders.Beside(t, sidecar.Setup{AppID: "shop", Names: names}, components...)

	said := shell(t, folder, where(shop), "node", "orders/shop.js")
	wantLines(t, said, shown(t, "node", "dapr run --app-id shop")...)

	wantMissing(t, orders.HTTP, "statestore", "basket-ann")
	if basket := mustGet(t, orders.HTTP, "statestore", "basket-dee"); basket.ExpireTime == "" {
		t.Errorf("the basket that nobody ordered is kept for ever: %+v", basket)
	}
	wantValue(t, orders.HTTP, "statestore", "goods-tea", "2")
	if _, err := shop.HTTP.Get("statestore", "goods-tea"); err == nil {
		t.Error("the shop reads the order service's store")
	}
	for _, word := range []string{"basket-", "customer", "confirmed"} {
		if bytes.Contains(orders.OnDisk(t), []byte(word)) {
			t.Errorf("what is on disk holds %q", word)
		}
	}
	// A message that comes again, and then one that can come after it only.
	mustDo(t, orders, "/v1.0/publish/broker/orders",
		map[string]any{"id": "1", "customer": "ann", "item": "tea", "count": 2})
	mustDo(t, shop, "/v1.0/invoke/orders/method/order", map[string]string{"id": "4", "customer": "dee"})
	orders.Await(t, "the order of dee is confirmed", func() error {
		got, err := orders.HTTP.Get("statestore", "order-4")
		if err == nil && !bytes.Contains(got.Value, []byte(`"confirmed"`)) {
			err = fmt.Errorf("it is %s", got.Value)
		}
		return err
	})
	wantValue(t, orders.HTTP, "statestore", "goods-tea", "1")
}

func mustDo(t *testing.T, pair *sidecar.Pair, path string, body any) {
	t.Helper()
	if _, answer, err := pair.HTTP.Do(http.MethodPost, path, body); err != nil {
		t.Fatalf("%s: %v: %s", path, err, answer)
	}
}
