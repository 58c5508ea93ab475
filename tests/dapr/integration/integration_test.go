// SPDX-License-Identifier: Apache-2.0

//go:build integration

// Package integration_test runs daprd's own integration cases, those that a
// state store can fail, on state.cpp instead of the store they were written
// for.
package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dapr/dapr/tests/integration/framework"
	"github.com/dapr/dapr/tests/integration/framework/binary"
	"github.com/dapr/dapr/tests/integration/suite"

	"statecpp.dev/tests/dapr/sidecar"
)

// As upstream's own runner.
const caseLimit = 45 * time.Second

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "daprd" {
		fmt.Fprintln(os.Stderr, becomeDaprd())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestDaprdsOwnCases(t *testing.T) {
	setBinaries(t)
	unused := leftOut()
	taken := 0
	for _, each := range suite.All(t) {
		if _, left := unused[each.Name()]; left {
			delete(unused, each.Name())
			continue
		}
		taken++
		t.Run(each.Name(), func(t *testing.T) { run(t, each.Case) })
	}
	for name := range unused {
		t.Errorf("there is no case %s to leave out", name)
	}
	if taken != casesTaken {
		t.Errorf("of upstream's cases %d are here to be taken, and %d were known", taken, casesTaken)
	}
}

// setBinaries names to the cases what they would build for minutes.
func setBinaries(t *testing.T) {
	t.Helper()
	for _, name := range []string{"placement", "scheduler"} {
		path, err := sidecar.ControlPlaneBinary(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv(binary.EnvKey(name), path)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	disguise := filepath.Join(t.TempDir(), "daprd")
	if err := os.Symlink(self, disguise); err != nil {
		t.Fatal(err)
	}
	t.Setenv(binary.EnvKey("daprd"), disguise)
	// What daprd tells placement to be found at; it serves nowhere else.
	t.Setenv("DAPR_HOST_IP", "127.0.0.1")
}

// run gives a case a store of its own.
func run(t *testing.T, registered suite.Case) {
	pair := sidecar.StartAs(t, sidecar.Setup{StoreAlone: true})
	one := reflect.New(reflect.TypeOf(registered).Elem()).Interface().(suite.Case)
	options := one.Setup(t)
	replaceDatabase(one, pair)
	aim(t, pair, interpose(one, pair))
	ctx, cancel := context.WithTimeout(context.Background(), caseLimit)
	t.Cleanup(cancel)
	framework.Run(t, ctx, options...)
	t.Run("run", func(t *testing.T) { one.Run(t, ctx) })

	if !strings.Contains(pair.StoreSaid(), "instance configured") {
		t.Error("the case never came to our store")
	}
}

// aim tells the disguised daprd where to point.
func aim(t *testing.T, pair *sidecar.Pair, keep bool) {
	t.Helper()
	daprd, err := sidecar.DaprdBinary()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(target{
		Daprd:   daprd,
		Sockets: filepath.Dir(pair.Socket()),
		Plain:   !sidecar.Sealed(),
		Keep:    keep,
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(binary.EnvValue("daprd")), targetFile)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
