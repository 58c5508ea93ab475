// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"fmt"
	"strings"
	"time"
)

// How far the server's wall clock, which expiry goes by, may be from ours.
const clockTolerance = 100 * time.Millisecond

// A model is what the store has to do, one operation after the other.
//
// It knows values by small numbers: 0 for no item, 1 for any item whose value
// nobody has seen and that does not expire. One such is as good as another,
// since no read and no ETag tells them apart.
type model struct {
	numbers map[Value]uint32
	items   []item           // by number
	first   map[Value]Moment // when the first who saw it had been answered
}

// An item is what a write left.
type item struct {
	named       bool // a read or a condition speaks of it
	expires     bool
	early, late Moment // between which it expires
}

const (
	nothing = 0
	unseen  = 1
)

func newModel(history []Operation) model {
	m := model{numbers: map[Value]uint32{0: nothing}, items: make([]item, 2), first: map[Value]Moment{}}
	named := map[Value]bool{}
	see := func(v Value, at Moment) {
		if was, ok := m.first[v]; !ok || at < was {
			m.first[v] = at
		}
	}
	for i := range history {
		op := &history[i]
		if op.Failed != 0 && op.Outcome == Conflict && op.Found != Unread {
			named[op.Found] = true
			see(op.Found, op.Return)
		}
		for _, part := range op.Parts {
			switch {
			case part.Condition == Matches:
				named[part.Expected] = true
				if op.Outcome == Yes {
					see(part.Expected, op.Return)
				}
			case part.Action == Read:
				named[part.Value] = true
				if op.Outcome == Yes {
					see(part.Value, op.Return)
				}
			}
		}
	}
	for i := range history {
		for _, part := range history[i].Parts {
			if part.Action == Set {
				m.number(&history[i], part, named[part.Value])
			}
		}
	}
	for v := range named {
		if _, ok := m.numbers[v]; !ok {
			m.numbers[v] = uint32(len(m.items)) // nobody writes it
			m.items = append(m.items, item{named: true})
		}
	}
	return m
}

func (m *model) number(op *Operation, part Part, named bool) {
	if !named && part.TTL == 0 {
		m.numbers[part.Value] = unseen
		return
	}
	m.numbers[part.Value] = uint32(len(m.items))
	m.items = append(m.items, item{
		named:   named,
		expires: part.TTL != 0,
		early:   op.Call + Moment(part.TTL-clockTolerance),
		late:    max(op.Return, op.Return+Moment(part.TTL+clockTolerance)), // which is for ever where it overflows
	})
}

// seen tells when the first who saw a value of the operation had been answered.
func (m *model) seen(op *Operation) (at Moment, ok bool) {
	for _, part := range op.Parts {
		if part.Action != Set {
			continue
		}
		if first, saw := m.first[part.Value]; saw && (!ok || first < at) {
			at, ok = first, true
		}
	}
	return at, ok
}

// effect names what an operation would do, and until when.
func (m *model) effect(op *Operation) string {
	var b strings.Builder
	fmt.Fprint(&b, op.Return)
	for _, part := range op.Parts {
		fmt.Fprint(&b, "|", part.Key, part.Action, part.Condition, m.numbers[part.Expected], " ", m.numbers[part.Value])
	}
	return b.String()
}

// apply is the state after an operation, if it can have had its outcome here.
func (m *model) apply(one *step, s state) (state, bool) {
	if one.Outcome == Conflict {
		return m.conflict(one, s)
	}
	for i := range one.Parts {
		part := &one.Parts[i]
		now := s[part.Key]
		switch {
		case part.Action == Read:
			want := m.numbers[part.Value]
			if want == nothing && !m.mayBeGone(now, one) || want != nothing && (want != now || !m.mayLive(now, one)) {
				return s, false
			}
			s[part.Key] = want
			continue
		case part.Condition == Matches && (m.numbers[part.Expected] != now || !m.mayLive(now, one)):
			return s, false
		case part.Condition == Absent && !m.mayBeGone(now, one):
			return s, false
		}
		s[part.Key] = m.numbers[part.Value]
	}
	return s, true
}

// conflict: one of the conditions must fail, in the state that the parts before
// it would have left.
func (m *model) conflict(one *step, s state) (state, bool) {
	during := s
	expired := -1 // a key whose item must have expired, if nothing else failed
	for i := range one.Parts {
		part := &one.Parts[i]
		now := during[part.Key]
		if one.Failed == i+1 {
			return m.failed(one, s, now)
		}
		live, gone := m.mayLive(now, one), m.mayBeGone(now, one)
		holds, mayFail := true, false
		switch part.Condition {
		case Matches:
			holds = m.numbers[part.Expected] == now && live
			mayFail = holds && gone
		case Absent:
			holds = gone
			if live && one.Failed == 0 {
				return s, true
			}
		}
		if !holds {
			return s, one.Failed == 0
		}
		if mayFail && expired < 0 {
			expired = part.Key
		}
		during[part.Key] = m.numbers[part.Value]
	}
	if expired >= 0 {
		s[expired] = nothing
	}
	return s, expired >= 0
}

// failed: the condition of which the error speaks fails for what it found.
func (m *model) failed(one *step, s state, now uint32) (state, bool) {
	part := &one.Parts[one.Failed-1]
	switch one.Found {
	case 0:
		if now == s[part.Key] {
			s[part.Key] = nothing
		}
		return s, part.Condition == Matches && m.mayBeGone(now, one)
	case Unread:
		return s, !m.items[now].named && m.mayLive(now, one)
	default:
		matches := part.Condition == Matches && part.Expected == one.Found
		return s, !matches && m.numbers[one.Found] == now && m.mayLive(now, one)
	}
}

// mayLive reports whether an item can be visible while an operation runs.
func (m *model) mayLive(number uint32, one *step) bool {
	item := &m.items[number]
	return number != nothing && (!item.expires || one.Call <= item.late)
}

// mayBeGone reports whether there can be no item, or an expired one.
func (m *model) mayBeGone(number uint32, one *step) bool {
	item := &m.items[number]
	return number == nothing || item.expires && one.ret >= item.early
}
