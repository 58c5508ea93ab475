// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A group is some keys that up to eight clients hold hot until it has a history
// long enough; others follow it, so that each history can be checked.
type group struct {
	run      *run
	number   int
	instance string // of the component
	atomic   bool   // its bulk writes hold together
	keys     []string
	limit    int // of operations

	mu      sync.Mutex
	history []Operation
	drafts  map[Value]draft
	etags   map[Value]string // as seen
	known   [][]Value        // of each key, as seen, the last one last
}

// A draft is what is known of a value before anybody has answered.
type draft struct {
	key  int
	ttl  time.Duration
	call Moment
}

func newGroup(r *run, random *rand.Rand, number int) *group {
	g := &group{
		run: r, number: number, instance: "linear", limit: 300 + random.IntN(500),
		drafts: map[Value]draft{}, etags: map[Value]string{},
	}
	if r.plan.Quick {
		g.limit /= 4
	}
	switch random.IntN(5) {
	case 0:
		g.instance, g.atomic = "atomic", true
	case 1:
		g.instance = "hurried"
	}
	count := []int{1, 1, 1, 1, 2, 2, 3, 4, 4, 12}[random.IntN(10)]
	if r.plan.Storm > 0 {
		// What nobody knows the outcome of makes orders many.
		count, g.limit = min(count, 3), g.limit/2
	}
	for k := range count {
		g.keys = append(g.keys, fmt.Sprintf("group%d||k%d", number, k))
	}
	g.known = make([][]Value, count)
	return g
}

func (g *group) isFull() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.history) >= g.limit
}

// record adds what a client was told, and whether it can go on.
func (g *group) record(c *call, op Operation, seen []sighting, err error, excuse excuse) (goOn bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	op.Parts = c.parts
	counts := &g.run.counts
	counts.operations.Add(1)
	op.Outcome, op.Error = g.outcome(c, err, excuse)
	counts.of[op.Outcome].Add(1)
	if op.Outcome == Yes {
		counts.done[c.method].Add(1)
		g.recordReads(&op, seen)
	}
	if g.atomic || c.method != bulkSet && c.method != bulkDelete {
		if op.Outcome == Conflict {
			op.explain(c.keys(0, len(c.parts)))
		}
		g.history = append(g.history, op)
	} else {
		g.history = append(g.history, c.items(op)...)
	}
	return !excuse.ending || op.Outcome != Maybe
}

// items takes a bulk write apart: its items stand each for itself, and the error
// names those that were not written.
func (c *call) items(op Operation) []Operation {
	var items []Operation
	for i := range op.Parts {
		item := op
		item.Parts = op.Parts[i : i+1]
		if op.Outcome == Conflict || op.Outcome == Refused {
			key := fmt.Sprintf("%q", c.key(i))
			switch {
			case strings.Contains(op.Error, "etag mismatch on "+key), strings.Contains(op.Error, "first-write of "+key):
				item.Outcome = Conflict
				item.explain(c.keys(i, i+1))
			case strings.Contains(op.Error, key):
				item.Outcome = Refused
			default:
				item.Outcome = Yes
			}
		}
		items = append(items, item)
	}
	return items
}

var (
	operationNumber = regexp.MustCompile(`in operation (\d+) of`)
	foundInstead    = `[^;]*?, found (no item|[0-9a-f]{16})`
)

// explain reads from the error what stood in the way, and where.
func (o *Operation) explain(keys []string) {
	failed := 1
	if number := operationNumber.FindStringSubmatch(o.Error); number != nil {
		failed, _ = strconv.Atoi(number[1])
	}
	if failed > len(keys) {
		return
	}
	found := regexp.MustCompile(regexp.QuoteMeta(strconv.Quote(keys[failed-1])) + foundInstead).FindStringSubmatch(o.Error)
	if found == nil {
		return
	}
	o.Failed, o.Found = failed, 0
	if found[1] != "no item" {
		o.Found, o.etag = Unread, found[1]
	}
}

// name finds out of what writes the ETags in errors are.
func (g *group) name() {
	values := map[string]Value{}
	for v, etag := range g.etags {
		values[etag] = v
	}
	for i := range g.history {
		if v, ok := values[g.history[i].etag]; ok {
			g.history[i].Found = v
		}
	}
}

// An excuse says which errors a call may draw beside the store's verdicts.
type excuse struct{ ending, deadline, cancel bool }

// outcome is what an answer says. Whatever promises nothing is a maybe.
func (g *group) outcome(c *call, err error, excuse excuse) (Outcome, string) {
	if err == nil {
		return Yes, ""
	}
	code, text := status.Code(err), status.Convert(err).Message()
	said := fmt.Sprintf("%s: %s", code, text)
	conditional := slices.ContainsFunc(c.parts, func(p Part) bool { return p.Condition != Always })
	switch {
	case code == codes.FailedPrecondition && conditional:
		return Conflict, said
	case (strings.Contains(text, "nothing was written") || strings.Contains(text, "items were not written")) &&
		(code == codes.Unavailable || code == codes.DeadlineExceeded || code == codes.Canceled):
		return Refused, said
	case excuse.ending && (code == codes.Unavailable || code == codes.Canceled || code == codes.Internal):
		// The connection is lost, between calls or within an answer; or the call
		// was one that a server which is ending had not looked at yet.
	case code == codes.Internal && text == "unexpected EOF" && (excuse.deadline || excuse.cancel):
		// gRPC's way to say that a call ended amid a long answer.
	case code == codes.DeadlineExceeded && excuse.deadline:
		g.run.counts.deadlines.Add(1)
	case code == codes.Canceled && excuse.cancel:
		g.run.counts.cancels.Add(1)
	default:
		g.run.found(Finding{Kind: False, What: fmt.Sprintf("%s of %v was answered %s", c.method, c.parts, said)})
	}
	return Maybe, said
}

func (g *group) recordReads(op *Operation, seen []sighting) {
	if op.Parts[0].Action != Read {
		return
	}
	op.Parts = slices.Clone(op.Parts)
	if len(seen) != len(op.Parts) {
		g.run.found(Finding{Kind: False, What: fmt.Sprintf("a bulk read of %d keys returned %d", len(op.Parts), len(seen))})
		return
	}
	for i := range op.Parts {
		part := &op.Parts[i]
		v, err := g.read(part.Key, op, seen[i])
		if err != nil {
			g.run.found(Finding{Kind: Torn, What: fmt.Sprintf("%q: %v", g.keys[part.Key], err), Core: []Operation{*op}})
		}
		part.Value = v
	}
}

// read turns what was seen into the write that it came of, and compares all
// that came with the value with what that write said.
func (g *group) read(key int, op *Operation, seen sighting) (Value, error) {
	switch {
	case seen.err != "":
		return 0, fmt.Errorf("the read failed: %s", seen.err)
	case seen.etag == nil && len(seen.data) == 0 && seen.contentType == "" && len(seen.metadata) == 0:
		return 0, nil
	case seen.etag == nil:
		return 0, fmt.Errorf("%q came without an ETag", seen.data)
	}
	v, err := valueOf(seen.data)
	if err != nil {
		return 0, err
	}
	draft, ok := g.drafts[v]
	switch {
	case !ok || draft.key != key:
		return 0, fmt.Errorf("%s was never written there", v)
	case seen.contentType != contentTypeOf(v):
		return 0, fmt.Errorf("%s came with content type %q of another", v, seen.contentType)
	}
	if err := draft.checkExpiry(seen.metadata["ttlExpireTime"], op.Return); err != nil {
		return 0, fmt.Errorf("%s: %w", v, err)
	}
	if err := g.checkETag(v, seen.etag.Value); err != nil {
		return 0, err
	}
	if known := g.known[key]; len(known) == 0 || known[len(known)-1] != v {
		g.known[key] = append(known, v)
	}
	return v, nil
}

var form = regexp.MustCompile(`^[0-9a-f]{16}$`)

// checkETag: of each write one ETag, and no other write has the same.
func (g *group) checkETag(v Value, etag string) error {
	switch was, ok := g.etags[v]; {
	case ok && was == etag:
		return nil
	case ok:
		return fmt.Errorf("the ETag of %s was %s and is %s", v, was, etag)
	case !form.MatchString(etag):
		return fmt.Errorf("the ETag of %s is %q, which is not of 16 hexadecimal digits", v, etag)
	}
	g.etags[v] = etag
	if other := g.run.issued.add(etag, v); other != v {
		return fmt.Errorf("%s and %s have the same ETag %s", v, other, etag)
	}
	return nil
}

func (d draft) checkExpiry(text string, read Moment) error {
	if d.ttl == 0 || text == "" {
		if (d.ttl == 0) != (text == "") {
			return fmt.Errorf("it was written for %s, and its ttlExpireTime is %q", d.ttl, text)
		}
		return nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return err
	}
	early := d.call.wall().Add(d.ttl - clockTolerance - time.Second) // it comes in whole seconds
	late := read.wall().Add(d.ttl + clockTolerance)
	if at.Before(early) || at.After(late) {
		return fmt.Errorf("it expires at %s, and was to between %s and %s", at, early, late)
	}
	return nil
}

// settle: whatever a process left open when it died is done or will never be.
func (g *group) settle(life int, dead Moment) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.history {
		if op := &g.history[i]; op.Life == life && op.Outcome == Maybe {
			op.Return = dead
		}
	}
}

// The ETags that were seen in a run, whatever the key.
type issued struct {
	mu  sync.Mutex
	all map[string]Value
}

// add returns the value that the ETag is of.
func (i *issued) add(etag string, v Value) Value {
	i.mu.Lock()
	defer i.mu.Unlock()
	if was, ok := i.all[etag]; ok {
		return was
	}
	i.all[etag] = v
	return v
}
