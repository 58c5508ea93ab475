// SPDX-License-Identifier: Apache-2.0

// Command ledger is an app with actors, written as Dapr's Go SDK has it: each
// account is an actor whose state the SDK saves after every call, in one actor
// transaction.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"net/http"

	"github.com/dapr/go-sdk/actor"
	daprd "github.com/dapr/go-sdk/service/http"
)

// An Account is an actor. The SDK calls its exported methods by name.
type Account struct {
	actor.ServerImplBaseCtx
}

// Type is the actor type that apps name.
func (a *Account) Type() string { return "account" }

// Deposit adds to the balance and counts the deposit, which are two keys, and
// returns the new balance.
func (a *Account) Deposit(ctx context.Context, amount int) (int, error) {
	balance, err := a.add(ctx, "balance", amount)
	if err != nil {
		return 0, err
	}
	if _, err := a.add(ctx, "deposits", 1); err != nil {
		return 0, err
	}
	return balance, nil
}

// Balance reads what Deposit wrote.
func (a *Account) Balance(ctx context.Context) (int, error) { return a.read(ctx, "balance") }

func (a *Account) add(ctx context.Context, key string, amount int) (int, error) {
	value, err := a.read(ctx, key)
	if err != nil {
		return 0, err
	}
	value += amount
	return value, a.GetStateManager().Set(ctx, key, value)
}

func (a *Account) read(ctx context.Context, key string) (int, error) {
	state := a.GetStateManager()
	there, err := state.Contains(ctx, key)
	if err != nil || !there {
		return 0, err
	}
	var value int
	err = state.Get(ctx, key, &value)
	return value, err
}

func main() {
	port := flag.String("port", "", "where daprd finds the app")
	flag.Parse()
	service := daprd.NewService(net.JoinHostPort("127.0.0.1", *port))
	service.RegisterActorImplFactoryContext(func() actor.ServerContext { return &Account{} })
	if err := service.Start(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
