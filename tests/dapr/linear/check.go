// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"math"
	"math/rand/v2"
)

// A Verdict is what Check makes of a history.
type Verdict int

const (
	Linearizable Verdict = iota
	Illegal              // no order of the operations explains their answers
	TooHard              // not decided within the steps allowed
)

func (v Verdict) String() string {
	return [...]string{"linearizable", "illegal", "too hard"}[v]
}

// MaxKeys is how many keys a group may have.
const MaxKeys = 16

// The steps after which a search gives up. A history of a thousand operations
// takes some thousands.
const stepLimit = 200_000

// Check looks for an order of a group's operations that explains all answers
// (Wing and Gong's search, with Lowe's memory of what was in vain).
//
// The group is one object and its state the values of all its keys: so a
// transaction is one step, and a bulk read sees one state.
//
// A Maybe whose value was seen has happened, before whoever saw it was
// answered. Any other one is taken into the order where nothing else explains
// what follows, or left out.
func Check(history []Operation) Verdict { return check(history, stepLimit) }

func check(history []Operation, steps int) Verdict {
	s := newSearch(history)
	s.steps = steps
	switch {
	case s.walk():
		return Linearizable
	case s.steps <= 0:
		return TooHard
	default:
		return Illegal
	}
}

// A search is a walk through the orders that the calls' times leave.
type search struct {
	model

	fixed []step // must have their place in the order; sorted by Call
	left  int
	next  []int // of each of fixed the next one that has no place yet;
	prev  []int // len(fixed) stands before the first and behind the last

	classes []class // those that may be left out

	state  state
	latest Moment        // the last Call among those that have their place
	placed hash          // of those that have their place
	vain   map[hash]bool // what was tried from here and led nowhere
	steps  int
}

type state [MaxKeys]uint32

type hash [2]uint64

type step struct {
	*Operation
	ret  Moment
	mark hash
}

// A class holds operations that may be left out and would do the same: only the
// first that is left is ever tried, since it could be called earliest and none
// of them ends sooner.
type class struct {
	steps []step
	used  int
}

func newSearch(history []Operation) *search {
	history = byCall(history)
	s := &search{model: newModel(history), vain: map[hash]bool{}}
	random := rand.New(rand.NewPCG(1, 2))
	numbers := map[string]int{}
	for i := range history {
		op := &history[i]
		if op.Outcome == Refused || op.Outcome == Maybe && !op.Writes() {
			continue
		}
		one := step{op, op.Return, hash{random.Uint64(), random.Uint64()}}
		if op.Outcome == Maybe {
			seen, ok := s.seen(op)
			if !ok {
				s.addToClass(numbers, one)
				continue
			}
			one.ret = min(one.ret, seen)
		}
		s.fixed = append(s.fixed, one)
	}
	s.left = len(s.fixed)
	for i := range s.left + 1 {
		s.next = append(s.next, (i+1)%(s.left+1))
		s.prev = append(s.prev, (i+s.left)%(s.left+1))
	}
	return s
}

func (s *search) addToClass(numbers map[string]int, one step) {
	name := s.effect(one.Operation)
	number, ok := numbers[name]
	if !ok {
		number = len(s.classes)
		numbers[name] = number
		s.classes = append(s.classes, class{})
	}
	s.classes[number].steps = append(s.classes[number].steps, one)
}

// walk reports whether the operations without a place find theirs.
func (s *search) walk() bool {
	if s.left == 0 {
		return true
	}
	here := s.here()
	if s.steps <= 0 || s.vain[here] {
		return false
	}
	s.steps--
	before, latest, placed := s.state, s.latest, s.placed
	take := func(one *step, after state) {
		s.state = after
		s.latest = max(latest, one.Call)
		s.placed = hash{placed[0] ^ one.mark[0], placed[1] ^ one.mark[1]}
	}

	// Whoever was called before the first of those left had returned.
	first := Moment(math.MaxInt64)
	end := len(s.fixed)
	for i := s.next[end]; i != end && s.fixed[i].Call <= first; i = s.next[i] {
		one := &s.fixed[i]
		first = min(first, one.ret)
		after, ok := s.apply(one, before)
		if !ok {
			continue
		}
		take(one, after)
		s.next[s.prev[i]], s.prev[s.next[i]] = s.next[i], s.prev[i]
		s.left--
		if s.walk() {
			return true
		}
		s.left++
		s.next[s.prev[i]], s.prev[s.next[i]] = i, i
	}
	for c := range s.classes {
		class := &s.classes[c]
		if class.used == len(class.steps) {
			continue
		}
		one := &class.steps[class.used]
		after, ok := s.apply(one, before)
		if !ok || after == before || one.Call > first || latest > one.ret {
			continue
		}
		take(one, after)
		class.used++
		if s.walk() {
			return true
		}
		class.used--
	}
	s.state, s.latest, s.placed = before, latest, placed
	s.vain[here] = true
	return false
}

// here names what has its place, and the state that it led to.
func (s *search) here() hash {
	h := s.placed
	for key, value := range s.state {
		x := uint64(value)<<8 | uint64(key)
		h[0] ^= mixed(x)
		h[1] ^= mixed(^x)
	}
	return h
}

// mixed spreads a number over 64 bits (SplitMix64).
func mixed(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
