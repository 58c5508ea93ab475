// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A process is a program under test, with everything it has printed.
type process struct {
	name string
	pid  int
	log  transcript
	done chan struct{} // closed once it has ended; err is set before
	err  error
}

// startProcess runs a program until it is stopped or this process dies.
//
// The kernel is asked to kill the child when the thread that started it ends,
// so a test binary that panics or runs into its timeout leaves nothing behind.
// The thread must then be kept for as long as the child lives, hence the
// goroutine that starts the child and waits for it on one locked thread.
func startProcess(name, binary string, env []string, args ...string) (*process, error) {
	p := &process{name: name, done: make(chan struct{})}
	cmd := exec.Command(binary, args...)
	cmd.Env = append(cleanEnvironment(), env...)
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}

	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer close(p.done)
		if err := cmd.Start(); err != nil {
			started <- fmt.Errorf("start %s: %w", name, err)
			return
		}
		p.pid = cmd.Process.Pid
		started <- nil
		p.err = cmd.Wait()
	}()
	return p, <-started
}

// cleanEnvironment is ours without whatever would steer Dapr or the store.
func cleanEnvironment() []string {
	var env []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "DAPR_") || strings.HasPrefix(name, "STATECPP_") ||
			name == "APP_ID" || name == "NAMESPACE" {
			continue
		}
		env = append(env, entry)
	}
	return env
}

// ended reports whether the process has ended, and how.
func (p *process) ended() (bool, error) {
	select {
	case <-p.done:
		return true, p.err
	default:
		return false, nil
	}
}

// stop asks the process to end and kills it when it has not after `grace`.
// It returns how the process ended: nil for exit code 0.
func (p *process) stop(grace time.Duration) error {
	if ended, err := p.ended(); ended {
		return err
	}
	_ = syscall.Kill(p.pid, syscall.SIGTERM)
	select {
	case <-p.done:
		return p.err
	case <-time.After(grace):
		p.kill()
		return fmt.Errorf("%s did not end within %s of SIGTERM and was killed", p.name, grace)
	}
}

// kill ends the process with no warning. Unlike a power cut it loses nothing
// that the process has handed to the kernel.
func (p *process) kill() {
	if ended, _ := p.ended(); ended {
		return
	}
	_ = syscall.Kill(p.pid, syscall.SIGKILL)
	<-p.done
}

// A transcript collects output and can be read while it grows.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(b)
}

func (t *transcript) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Len()
}

// since returns what was written after the first `mark` bytes, and of that at
// most the end, which is where the reason stands.
func (t *transcript) since(mark int) string {
	const most = 16 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	text := t.text.String()[mark:]
	if len(text) > most {
		text = "[…]\n" + text[len(text)-most:]
	}
	return text
}
