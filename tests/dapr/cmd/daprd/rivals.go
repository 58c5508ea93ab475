// SPDX-License-Identifier: Apache-2.0

//go:build rivals

package main

import (
	"github.com/dapr/components-contrib/state/redis"
	"github.com/dapr/components-contrib/state/sqlite"
	"github.com/dapr/dapr/pkg/components/state"
)

// The stores that `./dev bench daprd` measures state.cpp beside. No test needs
// them, and what they bring along is in a go.mod of its own, bench/daprd.
func init() {
	state.DefaultRegistry.RegisterComponent(redis.NewRedisStateStore, "redis")
	state.DefaultRegistry.RegisterComponent(sqlite.NewSQLiteStateStore, "sqlite")
}
