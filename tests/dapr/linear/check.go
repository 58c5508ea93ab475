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
	readers []int   // of each value, how many of fixed still have to find it

	place
	vain  map[hash]bool // what was tried from here and led nowhere
	steps int
}

// A place is how far an order has come.
type place struct {
	state  state
	latest [MaxKeys]Moment // of each key the last Call among those in the order
	placed hash            // of those in the order
}

type state [MaxKeys]uint32

type hash [2]uint64

type step struct {
	*Operation
	ret  Moment
	keys uint32 // a bit for each
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
	for key := range s.latest {
		s.latest[key] = math.MinInt64
	}
	random := rand.New(rand.NewPCG(1, 2))
	numbers := map[string]int{}
	for i := range history {
		op := &history[i]
		if op.Outcome == Refused || op.Outcome == Maybe && !op.Writes() {
			continue
		}
		one := step{op, op.Return, 0, hash{random.Uint64(), random.Uint64()}}
		for _, part := range op.Parts {
			one.keys |= 1 << part.Key
		}
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
	s.readers = make([]int, len(s.items))
	for i := range s.fixed {
		s.count(&s.fixed[i], 1)
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
	// Next may be whoever was called before the first of those left returned.
	first := Moment(math.MaxInt64)
	end := len(s.fixed)
	for i := s.next[end]; i != end && s.fixed[i].Call <= first; i = s.next[i] {
		first = min(first, s.fixed[i].ret)
		// What changes nothing wherever it comes, and can be next, may as well be.
		one := &s.fixed[i]
		if one.Outcome != Conflict && one.Writes() || s.endsClass(one) {
			continue
		}
		if after, ok := s.apply(one, s.state); ok && after == s.state {
			found := s.goOnWith(i)
			s.vain[here] = !found
			return found
		}
	}
	for i := s.next[end]; i != end && s.fixed[i].Call <= first; i = s.next[i] {
		if s.goOnWith(i) {
			return true
		}
	}
	if len(s.classes) > 0 {
		for i := s.next[end]; i != end && s.fixed[i].Call <= first; i = s.next[i] {
			if s.enable(i, nil, first, s.reach(&s.fixed[i])) {
				return true
			}
		}
	}
	s.vain[here] = true
	return false
}

// goOnWith walks on from behind one of fixed.
func (s *search) goOnWith(i int) bool {
	one, before := &s.fixed[i], s.place
	after, ok := s.apply(one, before.state)
	if !ok {
		return false
	}
	s.count(one, -1)
	if s.losesReaders(before.state, after) {
		s.count(one, 1)
		return false
	}
	s.take(one, after)
	s.next[s.prev[i]], s.prev[s.next[i]] = s.next[i], s.prev[i]
	s.left--
	if s.walk() {
		return true
	}
	s.left++
	s.next[s.prev[i]], s.prev[s.next[i]] = i, i
	s.count(one, 1)
	s.place = before
	return false
}

// count adds one of fixed to those that have to find a value, or takes it away.
func (s *search) count(one *step, by int) {
	for i := range one.Parts {
		switch part := &one.Parts[i]; {
		case part.Action == Read:
			s.readers[s.numbers[part.Value]] += by
		case part.Condition == Matches && one.Outcome != Conflict:
			s.readers[s.numbers[part.Expected]] += by
		}
	}
	if one.Failed != 0 && one.Found != Unread {
		s.readers[s.numbers[one.Found]] += by
	}
}

// losesReaders reports whether a value goes that somebody still has to find: it
// is written once and does not come back.
func (s *search) losesReaders(before, after state) bool {
	for key, value := range before {
		if value > unseen && after[key] != value && s.readers[value] > 0 {
			return true
		}
	}
	return false
}

// endsClass reports whether one of fixed comes too late for others that may
// still have to come before it.
func (s *search) endsClass(one *step) bool {
	for c := range s.classes {
		class := &s.classes[c]
		if class.used < len(class.steps) && class.steps[class.used].keys&one.keys != 0 &&
			one.Call > class.steps[class.used].ret {
			return true
		}
	}
	return false
}

// A link is an operation of a class in front of one of fixed.
type link struct {
	*step
	before state
	needed bool // by one behind it
}

// enable walks on behind one of fixed and operations of the classes in front of
// it, the chain. Nothing is lost by asking of each that another one behind it
// needs it: else it could come later, or be left out.
func (s *search) enable(goal int, chain []link, first Moment, reach uint32) bool {
	here := s.hereBefore(goal, chain)
	if s.steps <= 0 || s.vain[here] {
		return false
	}
	s.steps--
	before := s.place
	for c := range s.classes {
		class := &s.classes[c]
		if class.used == len(class.steps) {
			continue
		}
		one := &class.steps[class.used]
		if one.keys&reach == 0 || one.Call > first || s.isOver(one) {
			continue
		}
		longer, ok := s.with(chain, one)
		if !ok {
			continue
		}
		after, ok := s.apply(one, before.state)
		if !ok || after == before.state || s.losesReaders(before.state, after) {
			continue
		}
		s.take(one, after)
		class.used++
		if s.allNeeded(longer, &s.fixed[goal]) && s.goOnWith(goal) || s.enable(goal, longer, first, reach) {
			return true
		}
		class.used--
		s.place = before
	}
	s.vain[here] = true
	return false
}

// with is the chain with one more, unless that makes another one needless.
func (s *search) with(chain []link, one *step) ([]link, bool) {
	longer := make([]link, 0, len(chain)+1)
	for _, former := range chain {
		if former.keys&one.keys != 0 && !former.needed {
			if former.needed = s.isNeeded(&former, one); !former.needed {
				return nil, false
			}
		}
		longer = append(longer, former)
	}
	return append(longer, link{one, s.state, false}), true
}

func (s *search) allNeeded(chain []link, goal *step) bool {
	for i := range chain {
		if !chain[i].needed && !s.isNeeded(&chain[i], goal) {
			return false
		}
	}
	return true
}

// isNeeded reports whether something would be otherwise if a link came behind
// another operation, or not at all.
func (s *search) isNeeded(one *link, other *step) bool {
	if one.keys&other.keys == 0 {
		return false
	}
	if len(one.Parts) > 1 || other.Outcome == Conflict && other.Call > one.ret {
		return true
	}
	without, key := s.state, one.Parts[0].Key
	without[key] = one.before[key]
	_, ok := s.apply(other, without)
	return !ok
}

// hereBefore names where a chain has come to, and what it is for.
func (s *search) hereBefore(goal int, chain []link) hash {
	h := s.here()
	h[0] ^= mixed(uint64(goal))
	for i := range chain {
		if one := &chain[i]; !one.needed {
			before := place{state: one.before, placed: one.mark}.here()
			h[0] ^= mixed(before[0])
			h[1] ^= mixed(before[1])
		}
	}
	return h
}

// reach is the keys by which an operation can matter to the goal: the goal's own,
// and those of operations of many keys that may stand between.
func (s *search) reach(goal *step) uint32 {
	reach := goal.keys
	for grown := true; grown; {
		grown = false
		for c := range s.classes {
			class := &s.classes[c]
			keys := class.steps[0].keys
			if class.used < len(class.steps) && keys&reach != 0 && keys&^reach != 0 {
				reach |= keys
				grown = true
			}
		}
	}
	return reach
}

// isOver reports whether an operation would come too late: behind one of its
// keys that was called when it could not happen any more.
func (s *search) isOver(one *step) bool {
	for i := range one.Parts {
		if s.latest[one.Parts[i].Key] > one.ret {
			return true
		}
	}
	return false
}

func (s *search) take(one *step, after state) {
	s.state = after
	for i := range one.Parts {
		latest := &s.latest[one.Parts[i].Key]
		*latest = max(*latest, one.Call)
	}
	s.placed = hash{s.placed[0] ^ one.mark[0], s.placed[1] ^ one.mark[1]}
}

// here names what has its place, and the state that it led to.
func (p place) here() hash {
	h := p.placed
	for key, value := range p.state {
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
