// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// KillStore ends statecpp with SIGKILL. daprd stays.
func (p *Pair) KillStore(t testing.TB) {
	t.Helper()
	if ended, err := p.store.ended(); ended {
		t.Fatalf("statecpp had ended before it was killed: %v", err)
	}
	p.store.kill()
	p.retire(&p.store)
}

// StopStore ends statecpp as a service manager does, and expects exit code 0.
func (p *Pair) StopStore(t testing.TB) {
	t.Helper()
	if err := p.store.stop(stopLimit); err != nil {
		t.Fatalf("statecpp on SIGTERM: %v", err)
	}
	p.retire(&p.store)
}

// AwaitStoresEnd waits for statecpp to end by itself. It returns its exit code,
// -1 where a signal ended it, and what it said.
func (p *Pair) AwaitStoresEnd(t testing.TB) (code int, said string) {
	t.Helper()
	select {
	case <-p.store.done:
	case <-time.After(startLimit):
		t.Fatalf("statecpp still runs after %s", startLimit)
	}
	var exit *exec.ExitError
	if errors.As(p.store.err, &exit) {
		code = exit.ExitCode()
	} else if p.store.err != nil {
		t.Fatal(p.store.err)
	}
	said = p.StoreSaid()
	p.retire(&p.store)
	return code, said
}

// RestartStore runs statecpp anew on the same folders and returns once daprd
// reaches it through the given component. daprd is not told of anything: it
// reconnects by itself and does not repeat Init.
func (p *Pair) RestartStore(t testing.TB, component string) {
	t.Helper()
	p.StartStore(t)
	p.Await(t, "daprd reaches the restarted store", func() error {
		_, err := p.HTTP.Get(component, "a key that was never written")
		return err
	})
}

// StartStore is RestartStore without the wait: daprd may not reach it yet, and
// it may have no answer for any component.
func (p *Pair) StartStore(t testing.TB) {
	t.Helper()
	if err := p.startStore(); err != nil {
		t.Fatal(err)
	}
}

// ChangeKey has the store that is started next use that key, or none where it
// is empty.
func (p *Pair) ChangeKey(key string) { p.key = key }

// RestartDaprd replaces daprd by a new one in front of the same statecpp,
// which is then asked to Init the same instances again.
func (p *Pair) RestartDaprd(t testing.TB) {
	t.Helper()
	p.stopDaprd(t)
	if err := p.startDaprd(); err != nil {
		t.Fatal(err)
	}
}

// RestartDaprdInVain is RestartDaprd where the new one must not come up. It
// returns what that one said.
func (p *Pair) RestartDaprdInVain(t testing.TB) string {
	t.Helper()
	p.stopDaprd(t)
	return p.StartDaprdInVain(t)
}

// StartDaprdInVain is StartDaprd where that one must not come up. It returns
// what it said.
func (p *Pair) StartDaprdInVain(t testing.TB) string {
	t.Helper()
	if err := p.startDaprd(); err == nil {
		// It may call itself healthy for a moment before it ends.
		return p.AwaitDaprdsEnd(t)
	}
	said := p.daprd.log.since(0)
	p.daprd.kill()
	p.retire(&p.daprd)
	p.endApp()
	return said
}

// DaprdRestarting is RestartDaprd for a daprd that may take its time: what
// comes is the outcome. Until then the pair is nobody else's.
func (p *Pair) DaprdRestarting(t testing.TB) <-chan error {
	t.Helper()
	p.stopDaprd(t)
	outcome := make(chan error, 1)
	go func() { outcome <- p.startDaprd() }()
	return outcome
}

// DaprdSaid is what all daprds of this pair have printed.
func (p *Pair) DaprdSaid() string {
	var b strings.Builder
	for _, one := range p.all() {
		if one.name == "daprd" {
			b.WriteString(one.log.since(0))
		}
	}
	return b.String()
}

// AwaitDaprdsEnd waits for a daprd to end by itself, and returns what it said.
func (p *Pair) AwaitDaprdsEnd(t testing.TB) string {
	t.Helper()
	select {
	case <-p.daprd.done:
	case <-time.After(startLimit):
		t.Fatalf("daprd still runs after %s", startLimit)
	}
	said := p.daprd.log.since(0)
	p.hangUp()
	p.retire(&p.daprd)
	p.endApp()
	return said
}

// StartDaprd starts one where the former has ended.
func (p *Pair) StartDaprd(t testing.TB) {
	t.Helper()
	if err := p.startDaprd(); err != nil {
		t.Fatal(err)
	}
}

// BesideInVain is Beside where the second must not come up. It returns what
// was said.
func (p *Pair) BesideInVain(t testing.TB, components ...Component) string {
	t.Helper()
	other, err := newPair("", Setup{AppID: "app2"}, p, components)
	if err != nil {
		return err.Error()
	}
	defer other.Close()
	return other.AwaitDaprdsEnd(t)
}

// StopDaprd ends daprd as a service manager does, and expects exit code 0.
func (p *Pair) StopDaprd(t testing.TB) {
	t.Helper()
	p.stopDaprd(t)
}

func (p *Pair) stopDaprd(t testing.TB) {
	t.Helper()
	p.hangUp()
	if err := p.daprd.stop(stopLimit); err != nil {
		t.Fatalf("daprd on SIGTERM: %v", err)
	}
	p.retire(&p.daprd)
	p.endApp()
}

// hangUp lets go of a daprd, if there was one to speak to.
func (p *Pair) hangUp() {
	if p.HTTP != nil {
		p.HTTP.client.CloseIdleConnections()
	}
	if p.GRPC != nil {
		_ = p.GRPC.conn.Close()
		p.GRPC = nil
	}
}

// Rewrite changes a component's file under a running daprd, which reloads it.
// The reload takes daprd a moment: see Await.
func (p *Pair) Rewrite(t testing.TB, component Component) {
	t.Helper()
	if err := component.write(p.resources()); err != nil {
		t.Fatal(err)
	}
}

// Await repeats `attempt` until it succeeds. It fails the test with the last
// error when that takes longer than any of our programs should need, or when
// daprd ends, as it does after a reload that the store refused.
func (p *Pair) Await(t testing.TB, what string, attempt func() error) {
	t.Helper()
	deadline := time.Now().Add(startLimit)
	for {
		err := attempt()
		if err == nil {
			return
		}
		if ended, how := p.daprd.ended(); ended {
			t.Fatalf("%s: daprd ended meanwhile: %v; last error: %v", what, how, err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s; last error: %v", what, startLimit, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
