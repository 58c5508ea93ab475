// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"

	"statecpp.dev/tests/dapr/sidecar"
)

// startLedger runs an app with actors, written with Dapr's Go SDK, on a store.
func startLedger(t *testing.T, store sidecar.Component) *sidecar.Pair {
	t.Helper()
	pair := sidecar.StartAs(t, sidecar.Setup{ControlPlane: true, Program: "ledger"}, store.With("actorStateStore", "true"))
	awaitActors(t, pair)
	return pair
}

// awaitActors waits until placement has told daprd that the app's actors are
// at home here.
func awaitActors(t *testing.T, pair *sidecar.Pair) {
	t.Helper()
	pair.Await(t, "actors can be called", func() error {
		_, err := account{pair, "nobody"}.call("Balance", nil)
		return err
	})
}

// An account is an actor of the ledger.
type account struct {
	pair *sidecar.Pair
	id   string
}

func (a account) call(method string, argument any) (int, error) {
	_, body, err := a.pair.HTTP.Do(http.MethodPost, "/v1.0/actors/account/"+a.id+"/method/"+method, argument)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(body)))
}

func (a account) mustCall(t *testing.T, method string, argument any, want int) {
	t.Helper()
	got, err := a.call(method, argument)
	if err != nil || got != want {
		t.Fatalf("%s of %s answered %d and %v, want %d", method, a.id, got, err, want)
	}
}

// state reads one of the actor's keys, in daprd's words and past the app.
func (a account) state(key string) (string, error) {
	_, body, err := a.pair.HTTP.Do(http.MethodGet, "/v1.0/actors/account/"+a.id+"/state/"+key, nil)
	return string(body), err
}

func (a account) wantState(t *testing.T, key, want string) {
	t.Helper()
	got, err := a.state(key)
	if err != nil || got != want {
		t.Errorf("the state %s of %s is %q and %v, want %q", key, a.id, got, err, want)
	}
}

// change is an actor transaction, which apps without an SDK write themselves.
func (a account) change(operations ...map[string]any) error {
	_, _, err := a.pair.HTTP.Do(http.MethodPost, "/v1.0/actors/account/"+a.id+"/state", operations)
	return err
}

func actorUpsert(key string, value any) map[string]any {
	return map[string]any{"operation": "upsert", "request": map[string]any{"key": key, "value": value}}
}

func actorDelete(key string) map[string]any {
	return map[string]any{"operation": "delete", "request": map[string]any{"key": key}}
}

func TestAnActorsStateOutlivesEveryProgram(t *testing.T) {
	pair := startLedger(t, sidecar.Component{Name: "statestore"})
	alice, bob := account{pair, "alice"}, account{pair, "bob"}
	alice.mustCall(t, "Deposit", 5, 5)
	alice.mustCall(t, "Deposit", 7, 12)
	bob.mustCall(t, "Deposit", 1, 1)

	// Where actors keep their state is Dapr's choice; no prefix of ours or of
	// the component's is put before it.
	for key, want := range map[string]string{
		"app1||account||alice||balance": "12", "app1||account||alice||deposits": "2",
		"app1||account||bob||balance": "1", "app1||account||bob||deposits": "1",
	} {
		if got := pair.Row(t, "statestore", key); got != want {
			t.Errorf("row %q holds %q, want %q", key, got, want)
		}
	}

	pair.KillStore(t)
	if got, err := alice.state("balance"); err == nil {
		t.Errorf("with the store dead, alice's balance is %q", got)
	}
	pair.RestartStore(t, "statestore")
	alice.wantState(t, "balance", "12")
	alice.mustCall(t, "Deposit", 1, 13)

	pair.RestartDaprd(t) // and the app, which remembers nothing
	awaitActors(t, pair)
	alice.mustCall(t, "Balance", nil, 13)
	alice.mustCall(t, "Deposit", 1, 14)
	bob.mustCall(t, "Balance", nil, 1)
}

// Calls to one actor take turns, so that no deposit may be lost, whoever else
// deposits, and whatever happens to the store. One that was not acknowledged
// may have happened.
func TestNoAcknowledgedDepositIsLostInAKill(t *testing.T) {
	pair := startLedger(t, sidecar.Component{Name: "statestore"})
	const depositors, accounts = 6, 2
	var (
		group               sync.WaitGroup
		mu                  sync.Mutex
		tried, acknowledged [accounts]int
	)
	deposit := func(i int) error {
		_, err := account{pair, fmt.Sprint("shared-", i)}.call("Deposit", 1)
		mu.Lock()
		defer mu.Unlock()
		tried[i]++
		if err == nil {
			acknowledged[i]++
		}
		return err
	}
	enough := make(chan struct{})
	var once sync.Once
	for n := range depositors {
		group.Go(func() {
			for deposit(n%accounts) == nil {
				mu.Lock()
				if min(acknowledged[0], acknowledged[1]) >= 20 {
					once.Do(func() { close(enough) })
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	pair.KillStore(t)
	group.Wait()
	pair.RestartStore(t, "statestore")
	pair.RestartDaprd(t)
	awaitActors(t, pair)

	for i := range accounts {
		one := account{pair, fmt.Sprint("shared-", i)}
		balance, err := one.call("Balance", nil)
		if err != nil || balance < acknowledged[i] || balance > tried[i] {
			t.Errorf("the balance of %s is %d and %v; %d deposits were acknowledged of %d",
				one.id, balance, err, acknowledged[i], tried[i])
		}
		one.wantState(t, "deposits", fmt.Sprint(balance)) // both keys or none
	}
}

func TestAnActorTransactionIsAllOrNothing(t *testing.T) {
	pair := startLedger(t, sidecar.Component{Name: "statestore"}.With("maxValueSize", fmt.Sprint(crampedLimit)))
	carol := account{pair, "carol"}
	carol.mustCall(t, "Balance", nil, 0) // she has to be at home

	carol.wantState(t, "limit", "")
	if err := carol.change(actorUpsert("limit", 10), actorUpsert("note", "new")); err != nil {
		t.Fatal(err)
	}
	carol.wantState(t, "limit", "10")
	if err := carol.change(actorUpsert("limit", 11), actorDelete("note"), actorDelete("never there"),
		actorUpsert("limit", 12)); err != nil {
		t.Fatal(err)
	}
	carol.wantState(t, "limit", "12") // in order
	carol.wantState(t, "note", "")

	err := carol.change(actorUpsert("limit", 13), actorUpsert("note", strings.Repeat("x", crampedLimit)))
	wantRefusal(t, err, http.StatusInternalServerError, codes.Internal, "maxValueSize", "app1||account||carol||note")
	carol.wantState(t, "limit", "12")
	carol.wantState(t, "note", "")
}

// A component's time to live is for what apps write, and actors are apps; it is
// not for workflows (workflow_test.go).
func TestAComponentsTimeToLiveIsForActorsToo(t *testing.T) {
	pair := startLedger(t, sidecar.Component{Name: "statestore"}.With("ttlInSeconds", "1"))
	dave := account{pair, "dave"}
	dave.mustCall(t, "Deposit", 5, 5)
	pair.Await(t, "dave's balance expires", func() error {
		balance, err := dave.state("balance")
		if err == nil && balance != "" {
			err = fmt.Errorf("it is %s", balance)
		}
		return err
	})
}
