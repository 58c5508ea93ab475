// SPDX-License-Identifier: Apache-2.0

// Command load reads or writes one of daprd's stores through its gRPC API, as
// Dapr's SDKs do, and prints one line of JSON: `./dev bench daprd` compares
// stores by it.
//
//	load -address 127.0.0.1:50001 -store redis -op get -clients 32
//	load -address 127.0.0.1:50001 -store redis -op get -rate 1000
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"time"

	common "github.com/dapr/dapr/pkg/proto/common/v1"
	runtime "github.com/dapr/dapr/pkg/proto/runtime/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// How many keys one call sets before a load begins.
const fillAtOnce = 100

type load struct {
	dapr  runtime.DaprClient
	store string
	keys  int
	value []byte
}

func main() {
	address := flag.String("address", "", "daprd's gRPC API")
	store := flag.String("store", "", "which of its components")
	op := flag.String("op", "get", "get or set")
	clients := flag.Int("clients", 1, "calls under way in a closed loop")
	rate := flag.Float64("rate", 0, "calls a second of an open loop; 0: a closed one")
	seconds := flag.Float64("seconds", 1, "how long")
	keys := flag.Int("keys", 10000, "how many keys there are, chosen evenly")
	size := flag.Int("value-bytes", 1024, "of each value")
	filled := flag.Bool("filled", false, "the keys are there from an earlier run")
	flag.Parse()

	connection, err := grpc.NewClient(*address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatalf("%s: %v", *address, err)
	}
	l := load{runtime.NewDaprClient(connection), *store, *keys, value(*size)}
	calls := map[string]func(context.Context) error{"get": l.get, "set": l.set}
	call := calls[*op]
	if call == nil {
		log.Fatalf("-op %q: it is get or set", *op)
	}
	ctx := context.Background()
	if !*filled {
		if err := l.fill(ctx); err != nil {
			log.Fatalf("filling %s: %v", *store, err)
		}
	}
	lasting := time.Duration(*seconds * float64(time.Second))
	var said result
	if *rate > 0 {
		said, err = openLoop(ctx, call, *rate, lasting)
	} else {
		said, err = closedLoop(ctx, call, *clients, lasting)
	}
	if err != nil {
		log.Fatalf("%s of %s: %v", *op, *store, err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(said.figures()); err != nil {
		log.Fatal(err)
	}
}

// value is JSON, as most apps have it: what is not, some stores encode.
func value(size int) []byte {
	text := make([]byte, max(size, 2))
	for i := range text {
		text[i] = 'v'
	}
	text[0], text[len(text)-1] = '"', '"'
	return text
}

func (l *load) key(number int) string { return fmt.Sprintf("bench-%08d", number) }

func (l *load) item(number int) *common.StateItem {
	return &common.StateItem{Key: l.key(number), Value: l.value}
}

func (l *load) fill(ctx context.Context) error {
	for first := 0; first < l.keys; first += fillAtOnce {
		request := &runtime.SaveStateRequest{StoreName: l.store}
		for i := first; i < min(first+fillAtOnce, l.keys); i++ {
			request.States = append(request.States, l.item(i))
		}
		if _, err := l.dapr.SaveState(ctx, request); err != nil {
			return err
		}
	}
	return nil
}

func (l *load) get(ctx context.Context) error {
	got, err := l.dapr.GetState(ctx, &runtime.GetStateRequest{
		StoreName:   l.store,
		Key:         l.key(rand.IntN(l.keys)),
		Consistency: common.StateOptions_CONSISTENCY_STRONG,
	})
	if err == nil && len(got.GetData()) == 0 {
		err = fmt.Errorf("a key that was set is not there")
	}
	return err
}

func (l *load) set(ctx context.Context) error {
	_, err := l.dapr.SaveState(ctx, &runtime.SaveStateRequest{
		StoreName: l.store,
		States:    []*common.StateItem{l.item(rand.IntN(l.keys))},
	})
	return err
}
