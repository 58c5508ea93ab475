// SPDX-License-Identifier: Apache-2.0

// Package sidecar runs the real statecpp behind the real daprd, and speaks to
// daprd as an application does.
//
//	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"})
//	err := pair.HTTP.Save("statestore", sidecar.Item{Key: "a", Value: []byte(`1`)})
//
// Each pair has a temporary folder, sockets folder and data root of its own
// and listens on loopback only. Nothing of it outlives the test.
package sidecar

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	startLimit = 60 * time.Second
	stopLimit  = 15 * time.Second

	// sun_path holds 108 bytes; the store also binds under a temporary name
	// before it renames the socket, so some are left to it.
	folderLimit = 60
)

// A Pair is one statecpp and one daprd in front of it.
type Pair struct {
	AppID string
	HTTP  *HTTPApp
	GRPC  *GRPCApp

	setup  Setup
	folder string
	key    string // of the store, as hexadecimal digits; empty for none
	host   *Pair  // whose store is used, if it is another's
	store  *process
	daprd  *process
	app    *process
	past   []*process // what was killed or stopped

	placement, scheduler *service
}

// Key is a store's own, unless a test says otherwise. It is used where a
// component is sealed and names no other.
const Key = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef"

// Start runs a pair for the length of one test.
func Start(t testing.TB, components ...Component) *Pair {
	t.Helper()
	return StartWithKey(t, Key, components...)
}

// StartWithKey is Start with a store that has another key, or, where it is
// empty, none.
func StartWithKey(t testing.TB, key string, components ...Component) *Pair {
	t.Helper()
	return start(t, func() (*Pair, error) { return newPair(key, Setup{}, nil, components) })
}

// New runs a pair until Close. A store is up before its daprd starts: daprd
// looks for sockets once, at its own start.
func New(components ...Component) (*Pair, error) { return newPair(Key, Setup{}, nil, components) }

// newPair runs a pair whose store is its own, unless there is a host.
func newPair(key string, setup Setup, host *Pair, components []Component) (*Pair, error) {
	folder, err := os.MkdirTemp("", "sc")
	if err != nil {
		return nil, err
	}
	p := &Pair{AppID: setup.AppID, setup: setup, folder: folder, key: key, host: host}
	if p.AppID == "" {
		p.AppID = "app1"
	}
	if err := p.start(components); err != nil {
		err = fmt.Errorf("%w\n%s", err, p.transcripts(nil))
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *Pair) start(components []Component) error {
	if len(p.folder) > folderLimit {
		return fmt.Errorf("%s is too long for sockets below it: set TMPDIR to a shorter folder", p.folder)
	}
	if p.host == nil {
		if err := errors.Join(p.setup.makeSocketFolder(p.sockets()), os.Mkdir(p.DataRoot(), 0o700)); err != nil {
			return err
		}
	}
	if err := p.writeResources(components); err != nil {
		return err
	}
	if err := p.setup.write(p.resources()); err != nil {
		return err
	}
	if p.setup.Names != "" {
		file, err := p.setup.writeNames(p.folder)
		if err != nil {
			return err
		}
		p.setup.Flags = append(p.setup.Flags[:len(p.setup.Flags):len(p.setup.Flags)], "--config="+file)
	}
	if p.host == nil {
		if err := p.startStore(); err != nil {
			return err
		}
	}
	if p.setup.StoreAlone {
		return nil
	}
	if err := p.startControlPlane(); err != nil {
		return err
	}
	return p.startDaprd()
}

func (p *Pair) writeResources(components []Component) error {
	if err := os.Mkdir(p.resources(), 0o700); err != nil {
		return err
	}
	for _, component := range components {
		if err := component.write(p.resources()); err != nil {
			return err
		}
	}
	return writeSecrets(p.resources(), components)
}

// Socket is where daprd finds the store.
func (p *Pair) Socket() string { return filepath.Join(p.sockets(), "cpp.sock") }

const storeName = "statecpp"

// StoreSaid is what the running statecpp has printed.
func (p *Pair) StoreSaid() string { return p.store.log.since(0) }

// DataRoot is the folder in which the store keeps everything.
func (p *Pair) DataRoot() string { return filepath.Join(p.folder, "data") }

// OnDisk is every byte that the store keeps in files.
func (p *Pair) OnDisk(t testing.TB) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(p.DataRoot(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		bytes, err := os.ReadFile(path)
		all = append(all, bytes...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (p *Pair) sockets() string {
	if p.host != nil {
		return p.host.sockets()
	}
	return filepath.Join(p.folder, "sockets")
}

func (p *Pair) resources() string { return filepath.Join(p.folder, "resources") }

// Close ends both programs and removes what they wrote. Both are expected to
// end with exit code 0 on SIGTERM unless the test killed them, and the store to
// have told of no item in its log.
func (p *Pair) Close() error {
	var errs []error
	if p.HTTP != nil {
		p.HTTP.client.CloseIdleConnections()
	}
	if p.GRPC != nil {
		errs = append(errs, p.GRPC.conn.Close())
	}
	// Without its control plane a daprd that is ending waits for it.
	for _, one := range p.running() {
		if one == p.app {
			one.kill() // it is a test's own and may end as it likes
			continue
		}
		if err := one.stop(stopLimit); err != nil {
			errs = append(errs, fmt.Errorf("%s ended with %w; it said:\n%s", one.name, err, one.log.since(0)))
		}
	}
	for _, one := range p.all() {
		if one.name == storeName {
			errs = append(errs, checkLog(one.log.since(0)))
		}
	}
	return errors.Join(append(errs, os.RemoveAll(p.folder))...)
}

// Watch prints what both programs say from now on, if the test fails. It is
// for pairs that several tests share.
func (p *Pair) Watch(t testing.TB) {
	marks := map[*process]int{}
	for _, one := range p.all() {
		marks[one] = one.log.len()
	}
	p.report(t, marks)
}

func (p *Pair) report(t testing.TB, marks map[*process]int) {
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(p.transcripts(marks))
		}
	})
}

func (p *Pair) all() []*process {
	return append(append([]*process{}, p.past...), p.running()...)
}

// running is what was started and not yet ended, in the order of ending.
func (p *Pair) running() []*process {
	all := []*process{p.daprd, p.app}
	for _, one := range []*service{p.scheduler, p.placement} {
		if one != nil {
			all = append(all, one.process)
		}
	}
	all = append(all, p.store)
	return slices.DeleteFunc(all, func(one *process) bool { return one == nil })
}

func (p *Pair) transcripts(marks map[*process]int) string {
	var b strings.Builder
	for _, one := range p.all() {
		fmt.Fprintf(&b, "--- %s, pid %d, said:\n%s\n", one.name, one.pid, one.log.since(marks[one]))
	}
	return b.String()
}

// startStore runs statecpp and waits until it says that it serves.
func (p *Pair) startStore() error {
	binary, err := StoreBinary()
	if err != nil {
		return err
	}
	flags := []string{"serve", "--socket-folder", p.sockets(), "--data-root", p.DataRoot()}
	if p.key != "" {
		file := filepath.Join(p.folder, "store.key")
		if err := os.WriteFile(file, []byte(p.key), 0o600); err != nil {
			return err
		}
		flags = append(flags, "--key-file", file)
	}
	command := append([]string{binary}, flags...)
	if p.setup.StoreThrough != nil {
		command = p.setup.StoreThrough(p.DataRoot(), command)
	}
	p.store, err = startProcess(storeName, command[0], nil, command[1:]...)
	if err != nil {
		return err
	}
	answer, err := run(p.folder, binary, "health", "--wait", "30s", "--socket-folder", p.sockets())
	if err != nil {
		return fmt.Errorf("statecpp is not healthy: %w", err)
	}
	if answer != "SERVING" {
		return fmt.Errorf("`statecpp health` printed %q, want SERVING", answer)
	}
	return nil
}

// startDaprd runs daprd on free ports and waits for its health endpoint. A
// port can be taken between our look and daprd's bind, so that one failure is
// tried again.
func (p *Pair) startDaprd() error {
	binary, err := DaprdBinary()
	if err != nil {
		return err
	}
	version, err := run(p.folder, binary, "--version")
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		ports, err := freePorts(4)
		if err != nil {
			return err
		}
		if err := p.startApp(ports); err != nil {
			return err
		}
		p.daprd, err = startProcess("daprd", binary,
			append(p.setup.environment(), "DAPR_COMPONENTS_SOCKETS_FOLDER="+p.sockets()), p.daprdFlags(version, ports)...)
		if err != nil {
			return err
		}
		p.HTTP = newHTTPApp("127.0.0.1:" + ports[0])
		err = awaitHealth(p.daprd, p.HTTP.base+"/v1.0/healthz")
		if err == nil {
			p.GRPC, err = newGRPCApp("127.0.0.1:" + ports[1])
			return err
		}
		p.HTTP = nil
		clash := strings.Contains(p.daprd.log.since(0), "address already in use")
		if !clash || attempt == 3 {
			return err
		}
		p.daprd.kill()
		p.retire(&p.daprd)
		p.endApp()
	}
}

// startApp runs the app, if it is a program, with no wait: daprd itself waits
// for its port.
func (p *Pair) startApp(ports []string) error {
	if !p.setup.hasApp() {
		return nil
	}
	where := []string{"DAPR_HTTP_PORT=" + ports[0], "DAPR_GRPC_PORT=" + ports[1]}
	name, command := p.setup.Program, p.setup.Command
	if name == "" {
		name = command[0]
		where = append(where, "APP_PORT="+ports[3])
	} else {
		binary, err := ProgramBinary(name)
		if err != nil {
			return err
		}
		command = []string{binary, "--port=" + ports[3]}
	}
	var err error
	p.app, err = startProcess(name, command[0], where, command[1:]...)
	return err
}

func (p *Pair) endApp() {
	if p.app != nil {
		p.app.kill()
		p.retire(&p.app)
	}
}

func (p *Pair) daprdFlags(version string, ports []string) []string {
	flags := []string{
		"--app-id=" + p.AppID,
		"--resources-path=" + p.resources(),
		"--dapr-http-port=" + ports[0],
		"--dapr-grpc-port=" + ports[1],
		"--dapr-internal-grpc-port=" + ports[2],
		"--dapr-listen-addresses=127.0.0.1",
		"--dapr-internal-grpc-listen-address=127.0.0.1",
		"--enable-metrics=false",
		"--enable-profiling=false",
		"--log-level=info",
	}
	if !strings.HasPrefix(version, "1.16.") && !strings.HasPrefix(version, "1.17.") {
		// Reloads follow file events; this is daprd's second look, should it
		// have missed one.
		flags = append(flags, "--hot-reload-reconcile-interval=5s")
	}
	switch {
	case p.setup.hasApp():
		flags = append(flags, "--app-port="+ports[3])
	case p.setup.AppPort != "":
		flags = append(flags, "--app-port="+p.setup.AppPort)
	}
	return append(append(flags, p.controlPlaneFlags()...), p.setup.Flags...)
}

// retire keeps an ended process for its transcript.
func (p *Pair) retire(one **process) {
	p.past = append(p.past, *one)
	*one = nil
}

// freePorts asks the kernel for ports that nobody on loopback has.
func freePorts(n int) ([]string, error) {
	var ports []string
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close() // held until all are chosen, so that they differ
		ports = append(ports, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}
