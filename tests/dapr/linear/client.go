// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// What a call may take that nobody hurries. One that takes longer is a finding.
const patience = 20 * time.Second

// A client calls one after the other, for as long as its process serves.
type client struct {
	number, life int
	team         *team
	store        *store
	storm        float64
	random       *rand.Rand

	ending *atomic.Bool // the process is about to end
	over   *atomic.Bool // it has
}

func (c *client) work(r *run) {
	for !c.over.Load() && !r.wrong.Load() {
		g := c.team.next(r)
		asked := g.draw(c.random)
		ctx, cancel, excuse := c.hurry()
		op := Operation{Client: c.number, Life: c.life, Call: now()}
		seen, err := c.store.do(ctx, asked)
		op.Return = now()
		cancel()
		excuse.ending = c.ending.Load()
		if !g.record(asked, op, seen, err, excuse) {
			return
		}
	}
}

// hurry gives some calls a deadline that is close, and cancels others in their
// course.
func (c *client) hurry() (context.Context, context.CancelFunc, excuse) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	if c.random.Float64() >= c.storm {
		return ctx, cancel, excuse{}
	}
	soon := time.Duration(100+c.random.IntN(4900)) * time.Microsecond
	if c.random.IntN(2) == 0 {
		cancel()
		ctx, cancel = context.WithTimeout(context.Background(), soon)
		return ctx, cancel, excuse{deadline: true}
	}
	timer := time.AfterFunc(soon, cancel)
	return ctx, func() { timer.Stop(); cancel() }, excuse{cancel: true}
}
