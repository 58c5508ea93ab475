// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/anishathalye/porcupine"
)

// Another checker, by others, and another model of the store: both must judge
// alike whatever histories come. It knows no expiry, and would not come to an
// end where there are many operations that were maybe done.
var peer = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{[3]Value{}} },
	Step: func(state, input, output any) []any {
		op, now := input.(Operation), state.([3]Value)
		after, ok := now, true
		for _, p := range op.Parts {
			switch {
			case p.Action == Read:
				ok = ok && after[p.Key] == p.Value
				continue
			case p.Condition == Matches:
				ok = ok && after[p.Key] == p.Expected
			case p.Condition == Absent:
				ok = ok && after[p.Key] == 0
			}
			after[p.Key] = p.Value
		}
		switch {
		case op.Outcome == Refused, op.Outcome == Maybe && !ok, op.Outcome == Conflict && !ok:
			return []any{now}
		case op.Outcome == Maybe:
			return []any{now, after}
		case op.Outcome == Yes && ok:
			return []any{after}
		}
		return nil
	},
	Equal: func(a, b any) bool { return a == b },
}).ToModel()

func judgedByPeer(history []Operation) Verdict {
	var operations []porcupine.Operation
	for _, op := range history {
		if op.Outcome == Maybe && !op.Writes() {
			continue
		}
		operations = append(operations,
			porcupine.Operation{Input: op, Call: int64(op.Call), Return: int64(op.Return)})
	}
	if porcupine.CheckOperations(peer, operations) {
		return Linearizable
	}
	return Illegal
}

// A tale is a history that a right store would answer so, unless it is altered.
func tale(random *rand.Rand) []Operation {
	var history []Operation
	var now [3]Value
	for i := range 3 + random.IntN(8) {
		moment := 10 * (i + 1)
		if i > 5 {
			moment += int(death) // and restart
		}
		op := Operation{Call: Moment(moment - random.IntN(30)), Return: Moment(moment + random.IntN(30))}
		after, ok := now, true
		for j := range 1 + random.IntN(3) {
			p := Part{Key: random.IntN(3), Action: Action(random.IntN(3))}
			switch {
			case p.Action == Read:
				p.Value = after[p.Key]
			case random.IntN(3) == 0:
				p.Condition, p.Expected = Matches, now[random.IntN(3)]
				if p.Expected == 0 {
					p.Expected = Foreign
				}
				ok = ok && after[p.Key] == p.Expected
			case random.IntN(3) == 0:
				p.Condition = Absent
				ok = ok && after[p.Key] == 0
			}
			if p.Action == Set {
				p.Value = Value(3*i + j + 1)
			}
			after[p.Key] = p.Value
			op.Parts = append(op.Parts, p)
		}
		if !ok {
			op.Outcome = Conflict
			op.Parts = withoutReads(op.Parts)
		} else {
			now = after
		}
		history = append(history, op)
	}
	return history
}

func withoutReads(parts []Part) (writes []Part) {
	for _, p := range parts {
		if p.Action != Read {
			writes = append(writes, p)
		}
	}
	return writes
}

// Until when the first of two processes may do what it left open.
const death Moment = 200

func deathAfter(call Moment) Moment {
	if call < death {
		return death
	}
	return 2 * death
}

// altered makes one answer another, which may or may not be as good.
func altered(random *rand.Rand, history []Operation) []Operation {
	op := &history[random.IntN(len(history))]
	p := &op.Parts[random.IntN(len(op.Parts))]
	switch {
	case random.IntN(2) == 0 && op.Writes():
		op.Outcome, op.Return = Maybe, deathAfter(op.Call)
	case random.IntN(4) == 0 && len(withoutReads(op.Parts)) == len(op.Parts):
		op.Outcome = Outcome(random.IntN(3))
	case p.Action == Read:
		p.Value = Value(random.IntN(3 * len(history)))
	default:
		op.Call, op.Return = op.Call-20, op.Return-20
	}
	return history
}

func TestTheCheckerAgreesWithAnother(t *testing.T) {
	seed := Seed(t)
	random := rand.New(rand.NewPCG(seed, 0))
	verdicts := map[string]int{}
	for range 50_000 {
		history := tale(random)
		for range random.IntN(10) {
			history = altered(random, history)
		}
		ours, theirs := Check(history), judgedByPeer(history)
		verdicts[fmt.Sprint(ours)]++
		if ours != theirs {
			for _, op := range history {
				t.Log(op)
			}
			t.Fatalf("this history is %s, and another checker says %s (STATECPP_TEST_SEED=%d)", ours, theirs, seed)
		}
	}
	if verdicts["linearizable"] < 2_000 || verdicts["illegal"] < 2_000 {
		t.Errorf("too few histories of one kind to compare anything: %v", verdicts)
	}
	t.Log(verdicts)
}
