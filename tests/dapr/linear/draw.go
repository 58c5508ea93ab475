// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"math/rand/v2"
	"slices"
	"time"

	wire "github.com/dapr/dapr/pkg/proto/components/v1"
)

// How often each method is called, in a hundred.
var mix = [methods]int{getOne: 28, setOne: 33, deleteOne: 10, bulkGet: 10, bulkSet: 3, bulkDelete: 2, transact: 14}

// draw decides what a client asks for next.
func (g *group) draw(random *rand.Rand) *call {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := &call{
		group:       g,
		consistency: wire.StateOptions_StateConsistency(random.IntN(3)),
		concurrency: wire.StateOptions_StateConcurrency(random.IntN(3)),
	}
	dice := random.IntN(100)
	for c.method = getOne; dice >= mix[c.method]; c.method++ {
		dice -= mix[c.method]
	}
	count := 1
	switch c.method {
	case bulkGet:
		count = len(g.keys)
	case bulkSet, bulkDelete, transact:
		count = 1 + random.IntN(min(4, len(g.keys)))
	}
	keys := random.Perm(len(g.keys))[:count]
	if (c.method == bulkGet || c.method == transact) && random.IntN(8) == 0 {
		keys = append(keys, keys[0]) // one twice
	}
	for _, key := range keys {
		part, etag := g.drawPart(random, c.method, key)
		c.parts, c.etags = append(c.parts, part), append(c.etags, etag)
	}
	return c
}

func (g *group) drawPart(random *rand.Rand, method Method, key int) (part Part, etag string) {
	part.Key = key
	switch method {
	case getOne, bulkGet:
		return part, ""
	case setOne, bulkSet:
		part.Action = Set
	case deleteOne, bulkDelete:
		part.Action = Delete
	case transact:
		part.Action = []Action{Set, Set, Set, Delete}[random.IntN(4)]
	}
	if part.Action == Set {
		part.Value = g.run.nextValue()
		part.TTL = drawTTL(random)
		g.drafts[part.Value] = draft{key, part.TTL, now()}
	}
	switch dice := random.IntN(100); {
	case dice < 40:
	case dice < 55:
		if part.Action == Set { // a Delete has no first-write
			part.Condition = Absent
		}
	default:
		part.Condition = Matches
		part.Expected, etag = g.drawETag(random, key)
	}
	return part, etag
}

// drawETag is mostly the newest that was seen of the key, sometimes an older
// one, and now and then none of the store's.
func (g *group) drawETag(random *rand.Rand, key int) (v Value, etag string) {
	known := g.known[key]
	switch dice := random.IntN(20); {
	case len(known) == 0 || dice == 0:
		return Foreign, []string{"0123456789abcdef", "*", "1"}[random.IntN(3)]
	case dice < 5:
		known = known[max(0, len(known)-5):]
		v = known[random.IntN(len(known))]
	default:
		v = known[len(known)-1]
	}
	if g.mayExpireSoon(v) {
		return Foreign, "0123456789abcdef"
	}
	return v, g.etags[v]
}

// mayExpireSoon: the ETag of an item that expires during the call is not asked
// for. The store judges it when the call begins, and may write it after others
// have found the item gone; README.md says more.
func (g *group) mayExpireSoon(v Value) bool {
	draft := g.drafts[v]
	return draft.ttl == time.Second && now() < draft.call+Moment(draft.ttl+2*time.Second)
}

// drawTTL is none, one that passes while the history lasts, or a long one.
func drawTTL(random *rand.Rand) time.Duration {
	switch dice := random.IntN(20); {
	case dice < 3:
		return time.Second
	case dice == 3:
		return time.Hour
	}
	return 0
}

// drawRead is a look at all keys, when nobody writes any more.
func (g *group) drawRead() []*call {
	var calls []*call
	all := &call{method: bulkGet, group: g}
	for key := range g.keys {
		part := Part{Key: key}
		calls = append(calls, &call{method: getOne, group: g, parts: []Part{part}})
		all.parts = append(all.parts, part)
	}
	return slices.Concat(calls, []*call{all})
}
