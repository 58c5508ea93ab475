// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

func TestQuantileIsWhatAShareDidNotExceed(t *testing.T) {
	var sorted []time.Duration
	for i := 1; i <= 1000; i++ {
		sorted = append(sorted, time.Duration(i)*time.Microsecond)
	}
	for share, want := range map[float64]float64{0: 1, 0.5: 500, 0.99: 990, 0.999: 999, 1: 1000} {
		if got := quantile(sorted, share); got != want {
			t.Errorf("quantile %v is %v, not %v", share, got, want)
		}
	}
	if got := quantile(nil, 0.5); got != 0 {
		t.Errorf("without calls it is %v", got)
	}
}

func TestFiguresSortAndDivide(t *testing.T) {
	got := result{[]time.Duration{3e6, 1e6, 2e6}, 2 * time.Second}.figures()
	if got["calls"] != 3 || got["qps"] != 1.5 || got["p50_us"] != 2000 || got["p999_us"] != 3000 {
		t.Errorf("figures are %v", got)
	}
}

func TestAClosedLoopHasItsClientsUnderWayAtOnceAndKeepsTheirCalls(t *testing.T) {
	const clients, enough = 4, 100
	stop := errors.New("enough")
	var calls atomic.Int64
	all := make(chan struct{})
	got, err := closedLoop(context.Background(), func(context.Context) error {
		number := calls.Add(1)
		if number == clients {
			close(all)
		}
		<-all
		if number > enough {
			return stop
		}
		return nil
	}, clients, time.Hour)
	if !errors.Is(err, stop) || len(got.latencies) != enough {
		t.Errorf("%d latencies, %v", len(got.latencies), err)
	}
}

func TestAnOpenLoopBeginsEveryCallThatIsDueThoughNoneEnds(t *testing.T) {
	var calls atomic.Int64
	all := make(chan struct{})
	got, err := openLoop(context.Background(), func(context.Context) error {
		if calls.Add(1) == 50 {
			close(all)
		}
		<-all
		return nil
	}, 5000, 10*time.Millisecond)
	if err != nil || calls.Load() != 50 || len(got.latencies) != 50 {
		t.Errorf("%d calls, %d latencies, %v", calls.Load(), len(got.latencies), err)
	}
}

func TestALoopEndsWithTheFirstCallThatFails(t *testing.T) {
	fault := errors.New("a fault")
	fails := func(context.Context) error { return fault }
	if _, err := closedLoop(context.Background(), fails, 3, time.Hour); !errors.Is(err, fault) {
		t.Errorf("closed: %v", err)
	}
	if _, err := openLoop(context.Background(), fails, 1000, 20*time.Second); !errors.Is(err, fault) {
		t.Errorf("open: %v", err)
	}
}
