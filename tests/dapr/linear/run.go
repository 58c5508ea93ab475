// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"statecpp.dev/tests/dapr/sidecar"
)

var start = time.Now()

func now() Moment { return Moment(time.Since(start)) }

func (m Moment) wall() time.Time { return start.Add(time.Duration(m)) }

// A Plan is what a run does to the store.
type Plan struct {
	Name string
	Seed uint64

	// Lives is how many processes serve one after the other; or For is how long
	// there are new ones.
	Lives int
	For   time.Duration

	Drain bool    // they end by SIGTERM, else by SIGKILL
	Storm float64 // the part of the calls that are cancelled, or hurried by a deadline

	// Quick is for a store that does wrong: short lives, short histories, and
	// what is found is neither made small nor kept.
	Quick bool

	// Sabotage is a mistake that statecpp is to make, by its name in
	// engine/fail_point.h; it takes one that was built with fail points.
	Sabotage string

	// Via puts something between the clients and the socket, and returns where
	// it listens. It is asked anew for each process.
	Via func(socket string) string
}

func (p Plan) sabotaged() func(string, []string) []string {
	if p.Sabotage == "" {
		return nil
	}
	return func(_ string, command []string) []string {
		return append([]string{"env", "STATECPP_SABOTAGE=" + p.Sabotage}, command...)
	}
}

// A Finding is one answer that no right store gives.
type Finding struct {
	Kind Kind
	What string
	Core []Operation // those that contradict each other
	File string      // where the whole history is
}

// A Kind is one of the three wrongs that the proofs count.
type Kind string

const (
	Lost  Kind = "lost"  // a write that was acknowledged is not there after a restart
	Torn  Kind = "torn"  // of what belongs together a part came, or of a value
	False Kind = "false" // any other answer that is not so
)

func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", f.Kind, f.What)
	for _, op := range f.Core {
		fmt.Fprintf(&b, "\n  %s", op)
	}
	if f.File != "" {
		fmt.Fprintf(&b, "\n  the whole history: %s", f.File)
	}
	return b.String()
}

// The tally of a run.
type counts struct {
	operations, kills, drains, deadlines, cancels atomic.Int64
	histories, keys, undecided                    atomic.Int64
	of                                            [Maybe + 1]atomic.Int64
	done                                          [methods]atomic.Int64
}

const (
	teamCount   = 8
	clientCount = 8 // of a team: a checker needs few at a time on one key

	// Fewer answers in a life than these are no proof of anything: it goes on
	// until they have come.
	fewestAnswers = 100
)

type run struct {
	t      testing.TB
	plan   Plan
	pair   *sidecar.Pair
	counts counts
	issued issued
	values atomic.Uint64
	groups atomic.Int64
	teams  [teamCount]team

	checks  sync.WaitGroup
	checked chan *group

	mu       sync.Mutex
	findings []Finding
	wrong    atomic.Bool
}

// A team is some clients on one group, then on the next.
type team struct {
	mu      sync.Mutex
	random  *rand.Rand
	group   *group
	touched []*group // in this life
}

// RunUntilFound is Run for a store that does wrong, up to three times: on a busy
// machine there may not be two clients at once where it would show. It fails the
// test if nothing is found.
func RunUntilFound(t testing.TB, plan Plan) []Finding {
	t.Helper()
	for range 3 {
		if findings := Run(t, plan); len(findings) > 0 {
			return findings
		}
		plan.Seed = mixed(plan.Seed)
	}
	t.Error("nothing was found")
	return nil
}

// Run has clients work on a store of its own, checks what they were told, and
// returns the findings; it stops at the first.
func Run(t testing.TB, plan Plan) []Finding {
	t.Helper()
	r := &run{
		t: t, plan: plan, issued: issued{all: map[string]Value{}}, checked: make(chan *group, 10_000),
		pair: sidecar.StartAs(t, sidecar.Setup{StoreAlone: true, StoreThrough: plan.sabotaged()}),
	}
	began := time.Now()
	random := rand.New(rand.NewPCG(plan.Seed, 0))
	for i := range r.teams {
		r.teams[i].random = rand.New(rand.NewPCG(plan.Seed, 1+uint64(i)))
	}
	for range 2 {
		r.checks.Go(func() {
			for g := range r.checked {
				r.check(g)
			}
		})
	}
	for life := 0; r.goesOn(life, began); life++ {
		r.live(t, random, life)
	}
	for i := range r.teams {
		if g := r.teams[i].group; g != nil {
			r.checked <- g
		}
	}
	close(r.checked)
	r.checks.Wait()
	r.report(t, time.Since(began))
	return r.findings
}

func (r *run) goesOn(life int, began time.Time) bool {
	if r.wrong.Load() {
		return false
	}
	if r.plan.For != 0 {
		return time.Since(began) < r.plan.For
	}
	return life < r.plan.Lives
}

func (r *run) nextValue() Value { return Value(r.values.Add(1)) }

// live has one process serve, ends it, starts the next, and looks at what is
// there then.
func (r *run) live(t testing.TB, random *rand.Rand, life int) {
	stores := r.connect(t, life == 0)
	before := r.answers()
	var ending, over atomic.Bool
	var clients sync.WaitGroup
	for i := range teamCount * clientCount {
		c := &client{
			number: i, life: life, team: &r.teams[i/clientCount], store: stores[i%len(stores)], storm: r.plan.Storm,
			random: rand.New(rand.NewPCG(r.plan.Seed, uint64(life)<<32|uint64(i)<<8|0xff)),
			ending: &ending, over: &over,
		}
		clients.Go(func() { c.work(r) })
	}
	length := time.Duration(300+random.IntN(1200)) * time.Millisecond
	if r.plan.Quick {
		length /= 4
	}
	answered := r.wait(length, before+fewestAnswers)
	ending.Store(true)
	if r.plan.Drain {
		r.pair.StopStore(t)
		r.counts.drains.Add(1)
	} else {
		r.pair.KillStore(t)
		r.counts.kills.Add(1)
	}
	over.Store(true)
	clients.Wait()
	dead := now()
	hangUp(stores)

	if !answered {
		t.Errorf("%s: %d answers in life %d, which had %s and %s more: the store was hardly asked", r.plan.Name,
			r.answers()-before, life, length, patience)
	}
	r.pair.StartStore(t)
	stores = r.connect(t, false)
	defer hangUp(stores)
	r.look(stores, life+1, dead)
}

// answers is how many calls were told yes or that they conflict.
func (r *run) answers() int64 { return r.counts.of[Yes].Load() + r.counts.of[Conflict].Load() }

// wait returns after a while, and not before there are so many answers; or once
// something was found. It reports whether they came.
func (r *run) wait(d time.Duration, answers int64) bool {
	end := time.Now().Add(d)
	for !r.wrong.Load() {
		left := time.Until(end)
		if enough := r.answers() >= answers; left <= 0 && enough || left <= -patience {
			return enough
		}
		time.Sleep(max(min(20*time.Millisecond, left), time.Millisecond))
	}
	return true
}

// What the groups are spread over. A write of a hurried component is refused
// when it has waited for ten milliseconds.
var components = map[string]map[string]string{
	"linear":  {},
	"atomic":  {"bulkMode": "atomic"},
	"hurried": {"timeout": "10ms"},
}

func (r *run) connect(t testing.TB, first bool) []*store {
	t.Helper()
	socket := r.pair.Socket()
	if r.plan.Via != nil {
		socket = r.plan.Via(socket)
	}
	var stores []*store
	for range 4 {
		s, err := dial(socket)
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
	}
	if !first {
		return stores
	}
	for name, fields := range components {
		properties := sidecar.Component{Fields: fields}.Properties()
		if err := stores[0].init(t.Context(), name, properties); err != nil {
			t.Fatalf("Init of %s: %v", name, err)
		}
	}
	return stores
}

func hangUp(stores []*store) {
	for _, s := range stores {
		_ = s.conn.Close()
	}
}

// look reads every key of the groups that the last process served, and hands
// those that are full to the checkers.
func (r *run) look(stores []*store, life int, dead Moment) {
	var readers sync.WaitGroup
	for i := range r.teams {
		team, store := &r.teams[i], stores[i%len(stores)]
		readers.Go(func() {
			for _, g := range team.touched {
				g.settle(life-1, dead)
				for _, c := range g.drawRead() {
					op := Operation{Client: -1, Life: life, Call: now()}
					seen, err := store.do(context.Background(), c)
					op.Return = now()
					g.record(c, op, seen, err, excuse{})
				}
				if g != team.group {
					r.checked <- g
				}
			}
			team.touched = nil
			if team.group != nil {
				team.touched = []*group{team.group}
			}
		})
	}
	readers.Wait()
}

// next is the group that the team is at.
func (t *team) next(r *run) *group {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.group == nil || t.group.isFull() {
		t.group = newGroup(r, t.random, int(r.groups.Add(1)))
		t.touched = append(t.touched, t.group)
	}
	return t.group
}

func (r *run) check(g *group) {
	r.counts.histories.Add(1)
	r.counts.keys.Add(int64(len(g.keys)))
	g.name()
	switch verdict := Check(g.history); {
	case verdict == TooHard:
		r.counts.undecided.Add(1)
		r.t.Logf("group %d of %s was not decided: %s", g.number, g.instance, g.save())
	case verdict == Illegal && !r.wrong.Swap(true):
		finding := Finding{Kind: False, What: fmt.Sprintf(
			"group %d of %s: no order of its operations explains all answers", g.number, g.instance)}
		if !r.plan.Quick {
			finding.Core = Core(g.history)
			finding.Kind = kindOf(finding.Core)
			finding.What += ", these among them, whatever became of the others"
			finding.File = g.save()
		}
		r.found(finding)
	}
}

// kindOf calls a core after the worst that it can be.
func kindOf(core []Operation) Kind {
	kind := False
	for _, op := range core {
		switch {
		case op.Client < 0 && op.Life > core[0].Life:
			return Lost
		case len(op.Parts) > 1:
			kind = Torn
		}
	}
	return kind
}

// save writes a history where it can be read after the test.
func (g *group) save() string {
	var b strings.Builder
	for _, op := range byCall(g.history) {
		fmt.Fprintln(&b, op)
	}
	file := filepath.Join(os.TempDir(), fmt.Sprintf("statecpp-history-%d-group%d.txt", g.run.plan.Seed, g.number))
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return err.Error()
	}
	return file
}

func (r *run) found(f Finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong.Store(true)
	if len(r.findings) < 3 {
		r.findings = append(r.findings, f)
	}
}

func (r *run) report(t testing.TB, took time.Duration) {
	c := &r.counts
	figures := map[string]int64{
		"operations": c.operations.Load(), "acknowledged": c.of[Yes].Load(), "conflicts": c.of[Conflict].Load(),
		"refused": c.of[Refused].Load(), "maybe": c.of[Maybe].Load(), "kills": c.kills.Load(), "drains": c.drains.Load(),
		"deadlines": c.deadlines.Load(), "cancels": c.cancels.Load(),
		"histories": c.histories.Load(), "undecided": c.undecided.Load(), "keys": c.keys.Load(),
	}
	var text []string
	for _, name := range slices.Sorted(maps.Keys(figures)) {
		text = append(text, fmt.Sprintf("%d %s", figures[name], name))
	}
	t.Logf("%s, in %.1f s, with STATECPP_TEST_SEED=%d: %s", r.plan.Name, took.Seconds(), r.plan.Seed, strings.Join(text, ", "))
	if c.undecided.Load() > 1+c.histories.Load()/100 {
		t.Errorf("%s: %d of %d histories were not decided within %d steps each", r.plan.Name,
			c.undecided.Load(), c.histories.Load(), stepLimit)
	}
	if len(r.findings) == 0 && !r.plan.Quick {
		for method := range methods {
			if c.done[method].Load() == 0 {
				t.Errorf("%s: no %s was answered: nothing was proved of it", r.plan.Name, method)
			}
		}
		if c.of[Conflict].Load() == 0 || r.plan.Storm > 0 && (c.deadlines.Load() == 0 || c.cancels.Load() == 0) {
			t.Errorf("%s: no conflict, no deadline or no cancelled call: nothing was proved of them", r.plan.Name)
		}
	}
	if err := appendToLedger(r.plan, figures, r.findings, took); err != nil {
		t.Error(err)
	}
}
