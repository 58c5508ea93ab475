// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"statecpp.dev/tests/dapr/sidecar"
)

// Rows of the table whose cause is around the store, so that each has a pair of
// its own.

// --- More than the store receives.

func withLenientDaprd(t *testing.T) *sidecar.Pair {
	return sidecar.StartAs(t, sidecar.Setup{Flags: []string{"--max-body-size=128Mi"}}, sidecar.Component{Name: plain})
}

func tooLargeForUs() []appError {
	const text = "code = ResourceExhausted desc = Received message larger than max (… vs. 67108864)"
	return []appError{
		{
			name: "a bulk save of more than 64 MiB", http: http.StatusInternalServerError, code: saveFailed,
			grpc: codes.Internal, kind: daprsSave, text: text,
			provoke: past64MiB(sidecar.App.Save),
		},
		{
			name: "a transaction of more than 64 MiB", http: http.StatusInternalServerError, code: transFailed,
			grpc: codes.Internal, kind: daprsTransaction, text: text,
			provoke: past64MiB(func(app sidecar.App, store string, items ...sidecar.Item) error {
				var operations []sidecar.Operation
				for _, item := range items {
					operations = append(operations, sidecar.Upsert(item))
				}
				return app.Transact(store, operations...)
			}),
		},
	}
}

// past64MiB writes items of which each would do alone, and expects none of them.
func past64MiB(write func(app sidecar.App, store string, items ...sidecar.Item) error) provocation {
	return func(t *testing.T, _ *sidecar.Pair, app sidecar.App) error {
		kept := value("%q", strings.Repeat("v", 4<<20-16<<10))
		var items []sidecar.Item
		for i := range 17 {
			items = append(items, sidecar.Item{Key: key(t, fmt.Sprint(i)), Value: kept})
		}
		mustSave(t, app, plain, items[0])
		mustDelete(t, app, plain, items[0])
		err := write(app, plain, items...)
		wantMissing(t, app, plain, items[0].Key)
		wantMissing(t, app, plain, items[16].Key)
		return err
	}
}

// --- A full disk.

// onSmallDisk gives statecpp a data root of 24 MiB, by a mount that nobody else
// sees and that ends with the process.
func onSmallDisk(t *testing.T) *sidecar.Pair {
	unshare := []string{"unshare", "--mount"}
	if os.Geteuid() != 0 {
		unshare = append(unshare, "--map-root-user")
	}
	through := func(folder string, command []string) []string {
		mount := []string{"sh", "-c", `mount -t tmpfs -o size=24m none "$0" && exec "$@"`, folder}
		return append(append(unshare, mount...), command...)
	}
	try := through(t.TempDir(), []string{"true"})
	if said, err := exec.Command(try[0], try[1:]...).CombinedOutput(); err != nil {
		t.Skipf("no file system may be mounted here: %v: %s", err, said)
	}
	return sidecar.StartAs(t, sidecar.Setup{StoreThrough: through}, sidecar.Component{Name: plain})
}

func outOfDisk() []appError {
	const text = "the disk of …/stores/statestore is full; nothing was written; " +
		"free space or delete keys (deletes still work)"
	return []appError{
		kitError("a save", storeFull, text, untilFull(plain, sidecar.App.Save)),
		kitError("a bulk save", storeFull,
			"items were not written, the others were: …the disk of …/stores/statestore is full; "+
				"free space or delete keys (deletes still work)",
			untilFull(plain, func(app sidecar.App, store string, items ...sidecar.Item) error {
				return app.Save(store, append(items, sidecar.Item{Key: "small", Value: value("1")})...)
			})),
		{
			name: "a transaction", http: http.StatusInternalServerError, code: transFailed,
			grpc: codes.Internal, kind: daprsTransaction, text: text, provoke: untilFull(plain, transactTwo),
		},
	}
}

// --- A failed sync.

// withFailingSync puts a library of a few lines in front of statecpp's calls of
// the system. Syncs fail while there is a file of that name in the data root.
func withFailingSync(t *testing.T) *sidecar.Pair {
	library := filepath.Join(t.TempDir(), "failing_sync.so")
	said, err := exec.Command("cc", "-shared", "-fPIC", "-o", library, "testdata/failing_sync.c").CombinedOutput()
	if err != nil {
		t.Fatalf("cc testdata/failing_sync.c: %v\n%s", err, said)
	}
	through := func(dataRoot string, command []string) []string {
		env := []string{"env", "LD_PRELOAD=" + library, "FAIL_SYNCS_IF=" + filepath.Join(dataRoot, syncsFail)}
		return append(env, command...)
	}
	return sidecar.StartAs(t, sidecar.Setup{StoreThrough: through}, sidecar.Component{Name: plain})
}

const syncsFail = "syncs-fail"

func failedSync() []appError {
	const text = "the commit failed while it was synced (Input/output error): whether the write is on disk shows when " +
		"the store is opened again; restart, read it, and write it again if it is missing"
	return []appError{
		{
			name: "the write that was to be synced: it may have been done, and the server ends with 74",
			http: http.StatusServiceUnavailable, code: saveFailed, grpc: codes.Unavailable, kind: ours + "UNAVAILABLE", text: text,
			provoke: whileSyncsFail(func(app sidecar.App, item sidecar.Item) error {
				return app.Save(plain, item)
			}),
		},
		{
			name: "the same in a transaction", http: http.StatusInternalServerError, code: transFailed,
			grpc: codes.Internal, kind: daprsTransaction, text: text,
			provoke: whileSyncsFail(func(app sidecar.App, item sidecar.Item) error {
				return app.Transact(plain, sidecar.Upsert(item))
			}),
		},
	}
}

// whileSyncsFail replaces an item's value. The store must end with 74, and when
// it was started again one of the two values is there.
func whileSyncsFail(write func(app sidecar.App, item sidecar.Item) error) provocation {
	return func(t *testing.T, pair *sidecar.Pair, app sidecar.App) error {
		item := fresh(t, "a")
		mustSave(t, app, plain, item)
		trigger := filepath.Join(pair.DataRoot(), syncsFail)
		if err := os.WriteFile(trigger, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		item.Value = value("2")
		err := write(app, item)
		code, said := pair.AwaitStoresEnd(t)
		if code != 74 || !strings.Contains(said, "a sync failed; ending") || !strings.Contains(said, "Input/output error") {
			t.Errorf("statecpp ended with %d, and said:\n%s", code, said)
		}

		if err := os.Remove(trigger); err != nil {
			t.Fatal(err)
		}
		pair.RestartStore(t, plain)
		if got := mustGet(t, app, plain, item.Key); string(got.Value) != "1" && string(got.Value) != "2" {
			t.Errorf("the item is %q, and was 1 or 2", got.Value)
		}
		return err
	}
}
