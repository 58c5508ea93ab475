// SPDX-License-Identifier: Apache-2.0

// Package linear asks whether the store is linearizable: whether all that its
// clients were told, while they were many and it was killed, stopped and
// hurried, could have come of one operation after the other, each at some
// moment between its call and its answer.
//
//	history := []linear.Operation{
//		{Call: 1, Return: 2, Parts: []linear.Part{{Action: linear.Set, Value: 1}}},
//		{Call: 3, Return: 4, Parts: []linear.Part{{Action: linear.Set, Value: 2}}},
//		{Call: 5, Return: 6, Parts: []linear.Part{{Action: linear.Read, Value: 1}}},
//	}
//	linear.Check(history) // Illegal: a stale read
//
// README.md says what is checked and what is taken for granted.
package linear

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Value names one write of one key: each write has a value of its own, so
// that who reads it knows the write. Zero is no item.
type Value uint64

// Foreign is a Value that no write has: what an ETag names that the store never
// issued.
const Foreign = ^Value(0)

// Unread is some Value that nobody has read, and whose ETag was seen.
const Unread = ^Value(1)

// A Moment is a time on one monotonic clock.
type Moment time.Duration

// An Action is what a Part does to its key.
type Action int

const (
	Read Action = iota
	Set
	Delete
)

// A Condition is what must hold for a write.
type Condition int

const (
	Always  Condition = iota
	Matches           // the live item is the Expected one
	Absent            // there is no live item: Dapr's first-write
)

// A Part is what an operation does to one key.
type Part struct {
	Key       int // in the group of keys that the history is of
	Action    Action
	Condition Condition     // of Set and Delete
	Expected  Value         // of Matches
	Value     Value         // what Set writes, what Read saw
	TTL       time.Duration // of Set; zero for none
}

// An Outcome is what the caller was told.
type Outcome int

const (
	Yes      Outcome = iota // done: durable, and visible to every later call
	Conflict                // no: a condition of it did not hold
	Refused                 // no, for another reason: surely not done
	Maybe                   // done or not, at any time until Return
)

// An Operation is one call. All its parts happen at one moment, in order, or
// none does.
type Operation struct {
	Client  int
	Life    int // of how many processes before: it counts restarts
	Call    Moment
	Return  Moment // of a Maybe: when the process that may do it is dead
	Parts   []Part
	Outcome Outcome
	Error   string // as the caller got it

	// Of a Conflict, if the error says so: which part's condition was the first
	// that did not hold, counted from 1, and what stood there.
	Failed int
	Found  Value
	etag   string // of Found, as long as it is not known who wrote it
}

// Writes reports whether the operation would change anything.
func (o Operation) Writes() bool {
	return slices.ContainsFunc(o.Parts, func(p Part) bool { return p.Action != Read })
}

func (o Operation) String() string {
	var parts []string
	for _, part := range o.Parts {
		parts = append(parts, part.String())
	}
	line := fmt.Sprintf("%10.3f … %10.3f ms  life %d, client %2d: %s: %s",
		o.Call.milliseconds(), o.Return.milliseconds(), o.Life, o.Client, strings.Join(parts, " + "), o.Outcome)
	if o.Failed != 0 {
		line += fmt.Sprintf(" of part %d, found %s", o.Failed, o.Found)
	}
	if o.Outcome != Yes && o.Error != "" {
		line += " (" + o.Error + ")"
	}
	return line
}

func (p Part) String() string {
	var b strings.Builder
	switch p.Action {
	case Read:
		fmt.Fprintf(&b, "k%d is %s", p.Key, p.Value)
		return b.String()
	case Set:
		fmt.Fprintf(&b, "k%d := %s", p.Key, p.Value)
	case Delete:
		fmt.Fprintf(&b, "delete k%d", p.Key)
	}
	if p.TTL != 0 {
		fmt.Fprintf(&b, " for %s", p.TTL)
	}
	switch p.Condition {
	case Matches:
		fmt.Fprintf(&b, " if %s", p.Expected)
	case Absent:
		b.WriteString(" if absent")
	}
	return b.String()
}

func (v Value) String() string {
	switch v {
	case 0:
		return "nothing"
	case Foreign:
		return "foreign"
	case Unread:
		return "an unread value"
	}
	return fmt.Sprintf("v%d", uint64(v))
}

func (o Outcome) String() string {
	return [...]string{"yes", "conflict", "refused", "maybe"}[o]
}

func (m Moment) milliseconds() float64 { return float64(m) / float64(time.Millisecond) }

// byCall brings a history into the order in which its calls began.
func byCall(history []Operation) []Operation {
	history = slices.Clone(history)
	slices.SortStableFunc(history, func(a, b Operation) int { return cmp.Compare(a.Call, b.Call) })
	return history
}
