// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"

	"statecpp.dev/tests/dapr/sidecar"
)

// A subscriber is an app that keeps what daprd delivers to it.
type subscriber struct {
	server *httptest.Server
	mu     sync.Mutex
	got    []message
}

// A message is a cloud event, as far as the outbox makes it.
type message struct {
	ID   string
	Data string
}

func subscribe(t *testing.T) *subscriber {
	s := &subscriber{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", func(_ http.ResponseWriter, request *http.Request) {
		var one message
		body, _ := io.ReadAll(request.Body)
		if err := json.Unmarshal(body, &one); err != nil {
			t.Errorf("daprd delivered %q: %v", body, err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got = append(s.got, one)
	})
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	return s
}

func (s *subscriber) port(t *testing.T) string {
	address, err := url.Parse(s.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return address.Port()
}

// with are the messages that hold that text.
func (s *subscriber) with(data string) []message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []message
	for _, one := range s.got {
		if strings.Contains(one.Data, data) {
			found = append(found, one)
		}
	}
	return found
}

// startOutbox runs an app that is told of each transaction of its own, on
// either of two components.
func startOutbox(t *testing.T) (*sidecar.Pair, *subscriber) {
	t.Helper()
	app := subscribe(t)
	resources := map[string]string{"broker.yaml": `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: broker}
spec: {type: pubsub.in-memory, version: v1}
`}
	var stores []sidecar.Component
	for _, name := range []string{"statestore", "crampedstore"} {
		stores = append(stores, sidecar.Component{Name: name}.
			With("outboxPublishPubsub", "broker").With("outboxPublishTopic", "of-"+name))
		resources["of-"+name+".yaml"] = fmt.Sprintf(`apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: {name: of-%[1]s}
spec:
  pubsubname: broker
  topic: of-%[1]s
  routes: {default: /orders}
`, name)
	}
	stores[1] = stores[1].With("maxTxnOps", "3")
	return sidecar.StartAs(t, sidecar.Setup{AppPort: app.port(t), Resources: resources}, stores...), app
}

// awaitMessage waits for the one message with that text.
func awaitMessage(t *testing.T, pair *sidecar.Pair, app *subscriber, data string) message {
	t.Helper()
	var found []message
	pair.Await(t, "the outbox publishes "+data, func() error {
		if found = app.with(data); len(found) == 0 {
			return errors.New("no message")
		}
		return nil
	})
	return found[0]
}

// daprd adds to a transaction a row for each upsert, by which it sees later
// that the transaction happened. It removes the row once it has published.
//
// No transaction here has a second upsert: the in-memory broker takes a message
// only when the one before has been dealt with, which daprd does not do before
// the transaction is committed, which it is not before the broker has taken all
// messages. Other brokers do not do this.
func TestTheOutboxPublishesWhatWasCommitted(t *testing.T) {
	pair, app := startOutbox(t)
	for i, client := range []sidecar.App{pair.HTTP, pair.GRPC} {
		order := fmt.Sprintf("order-%d", i)
		mustSave(t, client, "statestore", sidecar.Item{Key: "gone", Value: value("1")})
		err := client.Transact("statestore",
			sidecar.Upsert(sidecar.Item{Key: order, Value: value("%q", order)}),
			sidecar.Delete(sidecar.Item{Key: "gone"}))
		if err != nil {
			t.Fatal(err)
		}
		wantValue(t, client, "statestore", order, fmt.Sprintf("%q", order))
		wantMissing(t, client, "statestore", "gone")
		id := awaitMessage(t, pair, app, order).ID
		if !strings.HasPrefix(id, "outbox-") {
			t.Errorf("the message of %s has the id %q", order, id)
		}
		pair.Await(t, "daprd removes its row", func() error {
			if left := pair.Row(t, "statestore", id); left != "" {
				return fmt.Errorf("%s holds %q", id, left)
			}
			return nil
		})
	}
	app.mu.Lock()
	defer app.mu.Unlock()
	if len(app.got) != 2 { // nothing of the deletes and of the saves
		t.Errorf("the app got %q", app.got)
	}
}

// Of the second transaction, on the other component, a message comes; by then
// that of the first would have come as well.
func TestTheOutboxPublishesNothingOfARefusedTransaction(t *testing.T) {
	pair, app := startOutbox(t)
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	refused := sidecar.Upsert(sidecar.Item{Key: "b", Value: value(`"refused"`)})
	err := pair.HTTP.Transact("statestore", refused, sidecar.Delete(sidecar.Item{Key: "a", ETag: "999"}))
	wantTransactionRefused(t, err, "etag")
	wantMissing(t, pair.HTTP, "statestore", "b")

	if err := pair.HTTP.Transact("crampedstore", sidecar.Upsert(sidecar.Item{Key: "b", Value: value(`"committed"`)})); err != nil {
		t.Fatal(err)
	}
	awaitMessage(t, pair, app, "committed")
	if got := app.with("refused"); got != nil {
		t.Errorf("the app got %q", got)
	}
}

// The store dies between the commit and daprd's look at the row. daprd looks
// again for ten seconds.
func TestTheOutboxSurvivesAKillOfTheStore(t *testing.T) {
	pair, app := startOutbox(t)
	if err := pair.HTTP.Transact("statestore", sidecar.Upsert(sidecar.Item{Key: "a", Value: value(`"kept"`)})); err != nil {
		t.Fatal(err)
	}
	pair.KillStore(t) // daprd waits a second before it looks
	if got := app.with("kept"); got != nil {
		t.Fatalf("the app got %q before the store died", got)
	}
	pair.RestartStore(t, "statestore")
	awaitMessage(t, pair, app, "kept")
	wantValue(t, pair.HTTP, "statestore", "a", `"kept"`)
}

// daprd asks for the limit, counts the app's operations, and then adds its own.
func TestTheOutboxsRowsCountAsOperations(t *testing.T) {
	pair, app := startOutbox(t)
	upsert := func(key string) sidecar.Operation {
		return sidecar.Upsert(sidecar.Item{Key: key, Value: value("%q", key)})
	}
	remove := func(key string) sidecar.Operation { return sidecar.Delete(sidecar.Item{Key: key}) }
	if err := pair.GRPC.Transact("crampedstore", upsert("fits"), remove("x")); err != nil {
		t.Fatalf("two operations and daprd's: %v", err)
	}
	awaitMessage(t, pair, app, "fits")
	err := pair.GRPC.Transact("crampedstore", upsert("more"), remove("x"), remove("y"))
	wantRefusal(t, err, http.StatusInternalServerError, codes.Internal, "maxTxnOps", "4")
	wantMissing(t, pair.GRPC, "crampedstore", "more")
}
