// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// The steps and the time that are spent on making an illegal history small.
const (
	coreStepLimit = 20_000
	coreTimeLimit = 10 * time.Second
)

// Core returns the operations of an illegal history that contradict each other,
// whatever the others did, and the writes that they speak of.
func Core(history []Operation) []Operation {
	history = shortest(byCall(history))
	deadline := time.Now().Add(coreTimeLimit)
	kept := make([]bool, len(history))
	for i := range kept {
		kept[i] = true
	}
	for size := len(history); size > 0; size /= 2 {
		for begin := 0; begin < len(history); begin += size {
			end := min(begin+size, len(history))
			if time.Now().After(deadline) || !slices.Contains(kept[begin:end], true) {
				continue
			}
			fewer := slices.Clone(kept)
			for i := begin; i < end; i++ {
				fewer[i] = false
			}
			if isIllegal(onlyKept(history, fewer)) {
				kept = fewer
			}
		}
	}
	return withWriters(history, kept)
}

// shortest cuts an illegal history off at the first answer that makes it so.
func shortest(history []Operation) []Operation {
	var answers []Moment
	for _, op := range history {
		if op.Outcome == Yes || op.Outcome == Conflict {
			answers = append(answers, op.Return)
		}
	}
	slices.Sort(answers)
	n, _ := slices.BinarySearchFunc(answers, 0, func(at Moment, _ int) int {
		if isIllegal(until(history, at)) {
			return 0
		}
		return -1
	})
	if n == len(answers) {
		return history
	}
	return until(history, answers[n])
}

// until is what was known of a history at one moment.
func until(history []Operation, at Moment) []Operation {
	var known []Operation
	for _, op := range history {
		switch {
		case op.Call > at:
			continue
		case op.Return > at && op.Outcome != Refused:
			op = weakened(op)
		}
		known = append(known, op)
	}
	return known
}

// weakened is an operation of whose outcome nobody knows anything.
func weakened(op Operation) Operation {
	op.Outcome, op.Return = Maybe, math.MaxInt64
	return op
}

func onlyKept(history []Operation, kept []bool) []Operation {
	weaker := slices.Clone(history)
	for i := range weaker {
		if !kept[i] && weaker[i].Outcome != Refused {
			weaker[i] = weakened(weaker[i])
		}
	}
	return weaker
}

func isIllegal(history []Operation) bool { return check(history, coreStepLimit) == Illegal }

func withWriters(history []Operation, kept []bool) []Operation {
	named := map[Value]bool{}
	for i, op := range history {
		for _, part := range op.Parts {
			if !kept[i] {
				continue
			}
			named[part.Expected] = true
			if part.Action == Read {
				named[part.Value] = true
			}
		}
	}
	delete(named, 0)
	var core []Operation
	for i, op := range history {
		written := slices.ContainsFunc(op.Parts, func(p Part) bool { return p.Action == Set && named[p.Value] })
		if op.Outcome == Maybe && op.Return == math.MaxInt64 && !written {
			continue
		}
		if kept[i] && op.Outcome != Maybe || written {
			core = append(core, op)
		}
	}
	slices.SortStableFunc(core, func(a, b Operation) int { return cmp.Compare(a.Call, b.Call) })
	return core
}
