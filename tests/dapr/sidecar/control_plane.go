// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A service is a program of Dapr's control plane, on ports of its own.
type service struct {
	*process
	address string // where daprd finds it
}

// startPlacement runs the service that tells daprds where an actor lives.
func startPlacement() (*service, error) {
	return startService("placement", 4, func(ports []string) []string {
		return []string{
			"--port=" + ports[0],
			"--healthz-port=" + ports[1],
			"--healthz-listen-address=127.0.0.1",
			"--metrics-port=" + ports[2],
			"--metrics-listen-address=127.0.0.1",
			"--listen-address=127.0.0.1",
			"--id=placement-0",
			"--initial-cluster=placement-0=127.0.0.1:" + ports[3],
		}
	})
}

// startScheduler runs the service that keeps reminders, and with them each
// step that a workflow has yet to take. It keeps them below `folder`.
func startScheduler(folder string) (*service, error) {
	return startService("scheduler", 5, func(ports []string) []string {
		return []string{
			"--port=" + ports[0],
			"--healthz-port=" + ports[1],
			"--healthz-listen-address=127.0.0.1",
			"--metrics-port=" + ports[2],
			"--metrics-listen-address=127.0.0.1",
			"--listen-address=127.0.0.1",
			"--id=scheduler-0",
			"--etcd-data-dir=" + filepath.Join(folder, "scheduler-"+ports[0]),
			"--etcd-client-port=" + ports[3],
			"--etcd-client-listen-address=127.0.0.1",
			"--etcd-initial-cluster=scheduler-0=http://127.0.0.1:" + ports[4],
			"--identity-directory-write=" + filepath.Join(folder, "identity-"+ports[0]),
			"--workers=16",
		}
	})
}

// startService runs a program on that many free ports, of which it serves
// daprd on the first and its health on the second, until it says that it is
// healthy. Like daprd's, its ports can be taken meanwhile.
func startService(name string, ports int, flags func(ports []string) []string) (*service, error) {
	binary, err := ControlPlaneBinary(name)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		ports, err := freePorts(ports)
		if err != nil {
			return nil, err
		}
		running, err := startProcess(name, binary, nil, append(flags(ports), "--log-level=info")...)
		if err != nil {
			return nil, err
		}
		if err = awaitHealth(running, "http://127.0.0.1:"+ports[1]+"/healthz"); err == nil {
			return &service{running, "127.0.0.1:" + ports[0]}, nil
		}
		running.kill()
		said := running.log.since(0)
		if !strings.Contains(said, "address already in use") || attempt == 3 {
			return nil, fmt.Errorf("%w; it said:\n%s", err, said)
		}
	}
}

// awaitHealth asks for a program's health until it has it.
func awaitHealth(p *process, url string) error {
	last := errors.New("never asked")
	client := http.Client{Timeout: requestLimit}
	defer client.CloseIdleConnections()
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if ended, err := p.ended(); ended {
			return fmt.Errorf("%s ended while starting: %w", p.name, errors.Join(err, last))
		}
		answer, err := client.Get(url)
		if err != nil {
			last = err
			continue
		}
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusOK || answer.StatusCode == http.StatusNoContent {
			return nil
		}
		last = errors.New(answer.Status)
	}
	return fmt.Errorf("%s is not healthy after %s: %w", p.name, startLimit, last)
}

// startControlPlane runs placement and scheduler, unless they run already.
func (p *Pair) startControlPlane() error {
	if !p.setup.ControlPlane {
		return nil
	}
	home := filepath.Join(p.folder, "control-plane")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	var err error
	if p.placement, err = startPlacement(); err != nil {
		return err
	}
	p.scheduler, err = startScheduler(home)
	return err
}

// controlPlaneFlags tell daprd of both.
func (p *Pair) controlPlaneFlags() []string {
	if !p.setup.ControlPlane {
		return nil
	}
	return []string{
		"--placement-host-address=" + p.placement.address,
		"--scheduler-host-address=" + p.scheduler.address,
	}
}
