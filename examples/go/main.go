// SPDX-License-Identifier: Apache-2.0

// An order service's state, on Dapr's own SDK. Nothing here knows that the
// store is state.cpp: the component's file says it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"sync"

	dapr "github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	store  = "statestore"
	key    = "order-1"
	clerks = 8
)

type order struct {
	Item  string `json:"item"`
	Count int    `json:"count"`
}

// errConflict says that somebody has written the key since it was read.
var errConflict = errors.New("conflict")

func main() {
	// Where daprd is comes from DAPR_GRPC_PORT, which `dapr run` sets.
	client, err := dapr.NewClient()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := run(context.Background(), orders{client}); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, o orders) error {
	if err := o.place(ctx, order{"tea", 1}); err != nil {
		return err
	}
	fmt.Println("saved   ", key, "=", order{"tea", 1}, "for an hour")

	current, etag, err := o.read(ctx)
	if err != nil {
		return err
	}
	fmt.Println("read    ", key, "=", current)

	current.Count = 2
	if err := o.replace(ctx, current, etag); err != nil {
		return err
	}
	fmt.Println("updated ", key, "=", current, "under its ETag")

	// That version is gone.
	if err := o.replace(ctx, current, etag); !errors.Is(err, errConflict) {
		return fmt.Errorf("saving under a stale ETag: %v", err)
	}
	fmt.Println("refused ", key, "under its stale ETag")

	if err := o.addTogether(ctx); err != nil {
		return err
	}
	if current, _, err = o.read(ctx); err != nil {
		return err
	}
	fmt.Println("together", clerks, "clerks added one each:", key, "=", current)

	// A missing key is no error: it reads as the zero order.
	if err := o.client.DeleteState(ctx, store, key, nil); err != nil {
		return err
	}
	if current, _, err = o.read(ctx); err != nil {
		return err
	}
	fmt.Println("deleted ", key, "=", current)
	return nil
}

// orders is the one order, in the store.
type orders struct{ client dapr.Client }

// place saves an order for an hour. The store sees the key as
// `<app id>||order-1`: by default each app has its keys to itself.
func (o orders) place(ctx context.Context, first order) error {
	value, err := json.Marshal(first)
	if err != nil {
		return err
	}
	return o.client.SaveState(ctx, store, key, value, map[string]string{"ttlInSeconds": "3600"})
}

// read also returns the ETag, which names this version of the order.
func (o orders) read(ctx context.Context) (current order, etag string, err error) {
	item, err := o.client.GetState(ctx, store, key, nil)
	if err != nil || item.Value == nil {
		return order{}, "", err
	}
	err = json.Unmarshal(item.Value, &current)
	return current, item.Etag, err
}

// replace saves the order in place of the version that the ETag names, and of
// no other. It fails with errConflict where that one is gone.
func (o orders) replace(ctx context.Context, next order, etag string) error {
	value, err := json.Marshal(next)
	if err != nil {
		return err
	}
	err = o.client.SaveStateWithETag(ctx, store, key, value, etag, nil,
		dapr.WithConcurrency(dapr.StateConcurrencyFirstWrite))
	if status.Code(err) == codes.Aborted {
		return errConflict
	}
	return err
}

// addOne reads, changes, replaces; after a conflict once more, from the read
// on. Of those that try at once one gets through, so that none tries more often
// than there are others.
func (o orders) addOne(ctx context.Context) error {
	for range clerks {
		current, etag, err := o.read(ctx)
		if err != nil {
			return err
		}
		current.Count++
		if err := o.replace(ctx, current, etag); !errors.Is(err, errConflict) {
			return err // of none, too; or to try again would not help
		}
	}
	return fmt.Errorf("%s: still in conflict after %d tries", key, clerks)
}

// addTogether is what a service does all day: many change one value, and no
// change is lost.
func (o orders) addTogether(ctx context.Context) error {
	var all sync.WaitGroup
	errs := make([]error, clerks)
	for i := range errs {
		all.Go(func() { errs[i] = o.addOne(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// String is the order as it stands in the store.
func (o order) String() string {
	text, _ := json.Marshal(o)
	return string(text)
}
