// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Hold takes a component's store as another process would that has it open,
// until release is called. The store must not be open here.
func (p *Pair) Hold(t testing.TB, component, holder string) (release func()) {
	t.Helper()
	lock, err := os.OpenFile(filepath.Join(p.storeFolder(component), "LOCK"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Fatalf("lock the store of %s: %v", component, err)
	}
	if err := lock.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if _, err := lock.WriteAt([]byte(holder), 0); err != nil {
		t.Fatal(err)
	}
	return func() { _ = lock.Close() }
}

// Damage calls `write`, which is to save one large value, and changes a byte in
// the middle of what that wrote into the store's file.
func (p *Pair) Damage(t testing.TB, component string, write func()) {
	t.Helper()
	before := p.storeBytes(t, component)
	write()
	after := p.storeBytes(t, component)
	begin, length := longestDifference(before, after)
	if length < 16<<10 {
		t.Fatalf("the longest change of %s is of %d bytes: no large value was written", p.StoreFile(component), length)
	}
	file, err := os.OpenFile(p.StoreFile(component), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	at := begin + length/2
	if _, err := file.WriteAt([]byte{after[at] ^ 0xff}, int64(at)); err != nil {
		t.Fatal(err)
	}
}

// longestDifference finds where two texts differ for longest. A byte that is
// equal by chance does not end a difference; a page's worth of them does.
func longestDifference(before, after []byte) (begin, length int) {
	const page = 4096
	start := -1
	for at := 0; at < len(after); at += page {
		end := min(at+page, len(after))
		same := end <= len(before) && bytes.Equal(before[at:end], after[at:end])
		if same {
			start = -1
			continue
		}
		if start < 0 {
			start = at
		}
		if end-start > length {
			begin, length = start, end-start
		}
	}
	return begin, length
}

// Forget removes what the store remembers of a component's Init, which must not
// be in use.
func (p *Pair) Forget(t testing.TB, component string) {
	t.Helper()
	if err := os.Remove(p.remembered(component)); err != nil {
		t.Fatal(err)
	}
}

// Garble overwrites what the store remembers of a component's Init.
func (p *Pair) Garble(t testing.TB, component string) {
	t.Helper()
	if err := os.WriteFile(p.remembered(component), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// CutShort leaves half of a component's store file.
func (p *Pair) CutShort(t testing.TB, component string) {
	t.Helper()
	file := p.StoreFile(component)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, info.Size()/2); err != nil {
		t.Fatal(err)
	}
}

// StoreFile is where a component that names no dataDir keeps everything.
func (p *Pair) StoreFile(component string) string {
	return filepath.Join(p.storeFolder(component), "data.mdb")
}

func (p *Pair) storeFolder(component string) string {
	return filepath.Join(p.DataRoot(), "stores", component)
}

func (p *Pair) remembered(component string) string {
	return filepath.Join(p.DataRoot(), "instances", component+".json")
}

func (p *Pair) storeBytes(t testing.TB, component string) []byte {
	t.Helper()
	all, err := os.ReadFile(p.StoreFile(component))
	if err != nil {
		t.Fatal(err)
	}
	return all
}
