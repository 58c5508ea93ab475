// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// Calls under way in an open loop; further ones wait, and their time runs.
const mostUnderWay = 1024

// result is how long each call took.
type result struct {
	latencies []time.Duration
	took      time.Duration
}

// figures are what is printed, in calls a second and microseconds.
func (r result) figures() map[string]float64 {
	slices.Sort(r.latencies)
	return map[string]float64{
		"calls":   float64(len(r.latencies)),
		"qps":     float64(len(r.latencies)) / r.took.Seconds(),
		"p50_us":  quantile(r.latencies, 0.5),
		"p99_us":  quantile(r.latencies, 0.99),
		"p999_us": quantile(r.latencies, 0.999),
	}
}

// quantile is what the given share of the sorted latencies did not exceed.
func quantile(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := max(1, int(math.Ceil(share*float64(len(sorted)))))
	return float64(sorted[rank-1]) / float64(time.Microsecond)
}

// closedLoop has so many clients call again and again. It ends with the first
// call that fails.
func closedLoop(ctx context.Context, call func(context.Context) error, clients int, lasting time.Duration) (result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	each := make([][]time.Duration, clients)
	start := time.Now()
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			for begun := time.Now(); begun.Sub(start) < lasting && ctx.Err() == nil; begun = time.Now() {
				if err := call(ctx); err != nil {
					cancel(err)
					return
				}
				each[i] = append(each[i], time.Since(begun))
			}
		})
	}
	group.Wait()
	return result{slices.Concat(each...), time.Since(start)}, context.Cause(ctx)
}

// openLoop has a call due every 1/rate seconds whatever became of those before
// it, and counts its time from when it was due: what waits behind a slow call
// is slow, too. It ends with the first call that fails.
func openLoop(ctx context.Context, call func(context.Context) error, rate float64, lasting time.Duration) (result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	latencies := make([]time.Duration, int(rate*lasting.Seconds()))
	room := make(chan struct{}, mostUnderWay)
	start := time.Now()
	var group sync.WaitGroup
	for i := range latencies {
		due := start.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		time.Sleep(time.Until(due))
		room <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		group.Go(func() {
			if err := call(ctx); err != nil {
				cancel(err)
			}
			latencies[i] = time.Since(due)
			<-room
		})
	}
	group.Wait()
	return result{latencies, time.Since(start)}, context.Cause(ctx)
}
