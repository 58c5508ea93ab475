// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/reflection"

	"statecpp.dev/tests/dapr/sidecar"
)

// --- Two daprds, one instance.

// one is a component whose keys are the same for every app.
var one = sidecar.Component{Name: "statestore"}.With("keyPrefix", "name")

func TestTwoDaprdsWithOneConfigurationShareAnInstance(t *testing.T) {
	first := sidecar.Start(t, one)
	other := first.Beside(t, sidecar.Setup{AppID: "app2"}, one)

	mustSave(t, first.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	etag := wantValue(t, other.GRPC, "statestore", "a", "1")
	mustSave(t, other.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("2"), ETag: etag})
	wantConflict(t, first.GRPC.Save("statestore", sidecar.Item{Key: "a", Value: value("3"), ETag: etag}))
	if said := first.StoreSaid(); strings.Contains(said, "->") {
		t.Errorf("the store tells of a change that there was not:\n%s", said)
	}

	// Nobody's end is the other's.
	other.StopDaprd(t)
	wantValue(t, first.HTTP, "statestore", "a", "2")
	first.KillStore(t)
	first.RestartStore(t, "statestore")
	wantValue(t, first.HTTP, "statestore", "a", "2")
}

// Which of two configurations is meant nobody can know. The last Init counts,
// for both, and the log says what it changed.
func TestOfTwoDaprdsTheLastOnesConfigurationCountsForBoth(t *testing.T) {
	first := sidecar.Start(t, one.With("ttlInSeconds", "100"))
	mustSave(t, first.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	wantExpiry(t, mustGet(t, first.HTTP, "statestore", "a"), 100*time.Second)

	other := first.Beside(t, sidecar.Setup{AppID: "app2"}, one.With("ttlInSeconds", "10000"))
	wantLine(t, first.StoreSaid(), "level=warning", "statestore", "ttlInSeconds: 100 -> 10000")
	for _, app := range []sidecar.App{first.HTTP, first.GRPC, other.HTTP, other.GRPC} {
		mustSave(t, app, "statestore", sidecar.Item{Key: "a", Value: value("1")})
		wantExpiry(t, mustGet(t, app, "statestore", "a"), 10000*time.Second)
	}

	first.RestartDaprd(t)
	wantLine(t, first.StoreSaid(), "level=warning", "statestore", "ttlInSeconds: 10000 -> 100")
	mustSave(t, other.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	wantExpiry(t, mustGet(t, other.HTTP, "statestore", "a"), 100*time.Second)
}

func TestADaprdThatWantsAnotherEncryptionIsRefused(t *testing.T) {
	for mine, theirs := range map[string]string{"off": "required", "required": "off"} {
		first := sidecar.Start(t, one.With("encryption", mine))
		mustSave(t, first.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
		said := first.BesideInVain(t, one.With("encryption", theirs))
		wantLine(t, said, "app_id=app2", "InvalidArgument", "open with another value of `encryption`",
			"nothing was changed")
		wantValue(t, first.HTTP, "statestore", "a", "1")
		mustSave(t, first.GRPC, "statestore", sidecar.Item{Key: "a", Value: value("2")})
	}
}

// --- Either restarted while requests run.

func TestADaprdsRestartsAreNothingToAnother(t *testing.T) {
	first := sidecar.Start(t, one)
	other := first.Beside(t, sidecar.Setup{AppID: "app2"}, one)
	stop := make(chan struct{})
	written := make(chan int, 4)
	for i := range cap(written) {
		go func() {
			app := []sidecar.App{other.HTTP, other.GRPC}[i%2]
			n := 0
			for ; ; n++ {
				select {
				case <-stop:
					written <- n
					return
				default:
				}
				item := sidecar.Item{Key: fmt.Sprintf("%d-%d", i, n), Value: value("%d", n)}
				if err := app.Save("statestore", item); err != nil {
					t.Errorf("writer %d, save %d: %v", i, n, err)
					written <- n
					return
				}
			}
		}()
	}
	for range 3 {
		first.RestartDaprd(t)
		mustSave(t, first.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	}
	close(stop)
	for range cap(written) {
		if n := <-written; n < 3 {
			t.Errorf("a writer came to %d saves", n)
		}
	}
}

// Unlike a kill, SIGTERM lets calls in hand end; what begins afterwards is
// refused. Either way each transaction is there whole or not at all.
func TestEveryAcknowledgedWriteSurvivesARestartInOrder(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"})
	var writers []*writer
	var group sync.WaitGroup
	for i := range 4 {
		w := &writer{app: []sidecar.App{pair.HTTP, pair.GRPC}[i%2], name: fmt.Sprintf("writer-%d", i)}
		writers = append(writers, w)
		group.Go(w.run)
	}
	pair.Await(t, "the writers write", func() error {
		if got, err := pair.HTTP.Get("statestore", "writer-3-10"); err != nil || len(got.Value) == 0 {
			return fmt.Errorf("%q, %w", got.Value, err)
		}
		return nil
	})
	pair.StopStore(t)
	group.Wait()
	pair.RestartStore(t, "statestore")
	for _, w := range writers {
		w.check(t, pair.GRPC)
	}
}

// --- An Init that takes long.

const holder = "pid 77 on elsewhere"

// startHeld runs a pair and stops it; another process then has its store.
func startHeld(t *testing.T, component sidecar.Component) (pair *sidecar.Pair, release func()) {
	t.Helper()
	pair = sidecar.Start(t, component)
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	pair.StopStore(t)
	release = pair.Hold(t, "statestore", holder)
	t.Cleanup(release)
	pair.StartStore(t)
	return pair, release
}

func TestASlowInitIsWaitedFor(t *testing.T) {
	pair, release := startHeld(t, sidecar.Component{Name: "statestore"}.With("lockTimeout", "1m"))
	outcome := pair.DaprdRestarting(t)
	select {
	case err := <-outcome:
		t.Fatalf("daprd did not wait for its component: %v", err)
	case <-time.After(time.Second):
	}
	release()
	if err := <-outcome; err != nil {
		t.Fatal(err)
	}
	wantValue(t, pair.HTTP, "statestore", "a", "1")
}

func TestAnInitThatWaitsInVainSaysForWhom(t *testing.T) {
	pair, release := startHeld(t, sidecar.Component{Name: "statestore"})
	said := pair.RestartDaprdInVain(t)
	wantLine(t, said, "app_id=app1", "Unavailable", "is held by "+holder, "waited 3s")
	if strings.Contains(said, "init timeout") {
		t.Error("daprd gave up before the store had said why")
	}
	release()
	pair.StartDaprd(t)
	wantValue(t, pair.HTTP, "statestore", "a", "1")
}

// daprd waits for an answer, however late, and then refuses it: `initTimeout`
// ends nothing. So it has to be more than our lockTimeout, as it is by default.
func TestAnInitPastDaprdsTimeoutEndsDaprd(t *testing.T) {
	component := sidecar.Component{Name: "statestore", InitTimeout: "1s"}.With("lockTimeout", "1m")
	pair, release := startHeld(t, component)
	outcome := pair.DaprdRestarting(t)
	time.Sleep(2 * time.Second)
	release()
	<-outcome // it may call itself healthy for a moment
	said := pair.AwaitDaprdsEnd(t)
	wantLine(t, said, "app_id=app1", "init timeout")
	pair.StartDaprd(t)
	wantValue(t, pair.HTTP, "statestore", "a", "1")
}

func TestADamagedStoreStopsDaprdAndItsLogSaysWhy(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"})
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	pair.StopStore(t)
	pair.CutShort(t, "statestore")
	pair.StartStore(t)
	said := pair.RestartDaprdInVain(t)
	wantLine(t, said, "app_id=app1", "DataLoss", "data.mdb is damaged", "restore it from a backup")
}

// --- Reloads.

func TestAnotherDataFolderAndBackUnderRequests(t *testing.T) {
	component := sidecar.Component{Name: "statestore"}
	pair := sidecar.Start(t, component)
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})

	// daprd refuses calls while it has no component; the store refuses none.
	stop := make(chan struct{})
	var group sync.WaitGroup
	for _, app := range []sidecar.App{pair.HTTP, pair.GRPC} {
		group.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				err := app.Save("statestore", sidecar.Item{Key: "busy", Value: value("%d", n)})
				if err != nil && !isDaprdsBetweenComponents(err) {
					t.Errorf("the store refused a save: %v", err)
				}
			}
		})
	}
	pair.Rewrite(t, component.With("dataDir", "elsewhere"))
	pair.Await(t, "the other folder is served", func() error {
		got, err := pair.HTTP.Get("statestore", "a")
		if err == nil && len(got.Value) != 0 {
			err = errors.New("still the former folder")
		}
		return err
	})
	pair.Rewrite(t, component)
	pair.Await(t, "the former folder is served", func() error {
		got, err := pair.HTTP.Get("statestore", "a")
		if err == nil && len(got.Value) == 0 {
			err = errors.New("still the other folder")
		}
		return err
	})
	close(stop)
	group.Wait()
	wantValue(t, pair.GRPC, "statestore", "a", "1")
}

// isDaprdsBetweenComponents tells what daprd says while it exchanges one
// component for another.
func isDaprdsBetweenComponents(err error) bool {
	for _, words := range []string{"is not found", "is not configured", "code = Canceled", "client connection is closing"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// A mistake in a component's file is the end of that daprd, by its own choice,
// and of nothing else.
func TestAMistakeInAComponentsFileEndsItsDaprdAlone(t *testing.T) {
	component := one.With("ttlInSeconds", "100")
	first := sidecar.Start(t, component)
	other := first.Beside(t, sidecar.Setup{AppID: "app2"}, component)
	mustSave(t, first.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})

	first.Rewrite(t, component.With("ttlInSeconds", "soon"))
	said := first.AwaitDaprdsEnd(t)
	wantLine(t, said, "app_id=app1", "ttlInSeconds", "soon", "the component was not initialised")

	wantValue(t, other.HTTP, "statestore", "a", "1")
	mustSave(t, other.HTTP, "statestore", sidecar.Item{Key: "b", Value: value("1")})
	wantExpiry(t, mustGet(t, other.HTTP, "statestore", "b"), 100*time.Second)

	first.Rewrite(t, component)
	first.StartDaprd(t)
	wantValue(t, first.HTTP, "statestore", "a", "1")
}

// --- The folder of sockets.

func TestForeignFilesInTheSocketFolderDoNoHarm(t *testing.T) {
	pair := sidecar.StartAs(t, sidecar.Setup{SocketFolder: func(sockets string) error {
		return errors.Join(
			os.Mkdir(sockets, 0o700),
			os.WriteFile(filepath.Join(sockets, "notes.txt"), []byte("not a socket"), 0o600),
			os.WriteFile(filepath.Join(sockets, "cpp.sock.bak"), nil, 0o600),
			os.Symlink("nowhere", filepath.Join(sockets, "broken.sock")),
			os.MkdirAll(filepath.Join(sockets, "below", "cpp.sock"), 0o700))
	}}, sidecar.Component{Name: "statestore"})
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	pair.KillStore(t)
	pair.RestartStore(t, "statestore")
	pair.RestartDaprd(t)
	wantValue(t, pair.GRPC, "statestore", "a", "1")

	folder := filepath.Dir(pair.Socket())
	if text, err := os.ReadFile(filepath.Join(folder, "notes.txt")); err != nil || string(text) != "not a socket" {
		t.Errorf("the foreign file is %q, %v", text, err)
	}
}

// A killed store leaves its socket. A daprd that starts then waits for whoever
// answers there, and goes on when that is the store.
func TestADaprdThatFindsAStaleSocketWaitsForTheStore(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"})
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	pair.KillStore(t)
	if _, err := net.Dial("unix", pair.Socket()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Fatalf("%s is no stale socket: %v", pair.Socket(), err)
	}
	outcome := pair.DaprdRestarting(t)
	select {
	case err := <-outcome:
		t.Fatalf("daprd did not wait: %v", err)
	case <-time.After(time.Second):
	}
	pair.StartStore(t)
	if err := <-outcome; err != nil {
		t.Fatal(err)
	}
	wantValue(t, pair.HTTP, "statestore", "a", "1")
}

// daprd asks every socket of the folder, one after the other and without a
// deadline. What another program left there is not ours to remove: the page of
// traps tells what to do.
func TestAnotherProgramsStaleSocketHoldsDaprdUp(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"})
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	// Before ours in the alphabet, which is daprd's order.
	path := filepath.Join(filepath.Dir(pair.Socket()), "another.sock")
	leaveStale(t, path)

	outcome := pair.DaprdRestarting(t)
	select {
	case err := <-outcome:
		t.Fatalf("daprd did not wait: %v", err)
	case <-time.After(time.Second):
	}
	// It goes on as soon as somebody answers there, whatever he offers.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	reflection.Register(server)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	if err := <-outcome; err != nil {
		t.Fatal(err)
	}
	wantValue(t, pair.HTTP, "statestore", "a", "1")
}

// leaveStale leaves a socket behind as a program does that is killed.
func leaveStale(t *testing.T, path string) {
	t.Helper()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
}

// SIGTERM takes the socket away first of all, so that a daprd that starts then
// does not wait but says that there is no such store.
func TestADaprdWithoutASocketSaysSo(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"})
	pair.StopStore(t)
	if _, err := os.Lstat(pair.Socket()); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the socket is still there: %v", err)
	}
	said := pair.RestartDaprdInVain(t)
	wantLine(t, said, "app_id=app1", "couldn't find state store state.cpp")
	pair.StartStore(t)
	pair.StartDaprd(t)
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
}

func TestTheSocketFolderMayBeALink(t *testing.T) {
	pair := sidecar.StartAs(t, sidecar.Setup{SocketFolder: func(sockets string) error {
		return errors.Join(os.Mkdir(sockets+".real", 0o700), os.Symlink(sockets+".real", sockets))
	}}, sidecar.Component{Name: "statestore"})
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	pair.KillStore(t)
	pair.RestartStore(t, "statestore")
	pair.RestartDaprd(t)
	wantValue(t, pair.HTTP, "statestore", "a", "1")
	folder := filepath.Dir(pair.Socket())
	if info, err := os.Lstat(folder); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%s was a link, and is %v, %v", folder, info, err)
	}
	if _, err := os.Stat(filepath.Join(folder+".real", "cpp.sock")); err != nil {
		t.Errorf("the socket is not where the link leads: %v", err)
	}
}
