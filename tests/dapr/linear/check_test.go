// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"slices"
	"testing"
	"time"
)

// Histories in short: at(1, 2, set(0, 7)) was called at 1 ms and answered at 2.

func at(call, answer int, parts ...Part) Operation {
	return Operation{
		Call:   Moment(call) * Moment(time.Millisecond),
		Return: Moment(answer) * Moment(time.Millisecond),
		Parts:  parts,
	}
}

func maybe(op Operation) Operation    { op.Outcome = Maybe; return op }
func conflict(op Operation) Operation { op.Outcome = Conflict; return op }

// found is what the error of a conflict says of its first part.
func found(v Value, op Operation) Operation {
	op = conflict(op)
	op.Failed, op.Found = 1, v
	return op
}
func refused(op Operation) Operation { op.Outcome = Refused; return op }

func set(key int, v Value) Part   { return Part{Key: key, Action: Set, Value: v} }
func reads(key int, v Value) Part { return Part{Key: key, Action: Read, Value: v} }
func remove(key int) Part         { return Part{Key: key, Action: Delete} }
func (p Part) when(v Value) Part  { p.Condition, p.Expected = Matches, v; return p }
func (p Part) first() Part        { p.Condition = Absent; return p }
func (p Part) living(seconds int) Part {
	p.TTL = time.Duration(seconds) * time.Second
	return p
}

type example struct {
	name    string
	history []Operation
}

var wrong = []example{
	{"a value that nobody wrote", []Operation{
		at(1, 2, reads(0, 5)),
	}},
	{"a value read before it was written", []Operation{
		at(1, 2, reads(0, 1)), at(3, 4, set(0, 1)),
	}},
	{"a stale read", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, set(0, 2)), at(5, 6, reads(0, 1)),
	}},
	{"two reads that disagree about an order", []Operation{
		at(1, 9, set(0, 1)), at(1, 9, set(0, 2)),
		at(10, 11, reads(0, 1)), at(12, 13, reads(0, 2)),
	}},
	{"a read that goes back during a write", []Operation{
		at(1, 2, set(0, 1)), at(3, 20, set(0, 2)),
		at(4, 5, reads(0, 2)), at(6, 7, reads(0, 1)),
	}},
	{"an acknowledged write that is lost", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 0)),
	}},
	{"an acknowledged write that a kill loses", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, set(0, 2)), maybe(at(5, 10, set(0, 3))),
		{Call: 20e6, Return: 21e6, Life: 1, Parts: []Part{reads(0, 1)}}, // and not 2 or 3
	}},
	{"a lost update: two writers with one ETag both succeed", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 1)),
		at(5, 8, set(0, 2).when(1)), at(6, 9, set(0, 3).when(1)),
	}},
	{"an ETag that held once holds again after another write", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 1)), at(5, 6, set(0, 2)), at(7, 8, set(0, 3).when(1)),
	}},
	{"the right ETag is refused though nobody else writes", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 1)), conflict(at(5, 6, set(0, 2).when(1))),
	}},
	{"a refused conditional write that was done", []Operation{
		at(1, 2, set(0, 1)), conflict(at(3, 4, set(0, 2).when(9))), at(5, 6, reads(0, 2)),
	}},
	{"an answer that nothing was written, and it was", []Operation{
		refused(at(1, 2, set(0, 1))), at(3, 4, reads(0, 1)),
	}},
	{"an ETag that the store never issued holds", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, set(0, 2).when(Foreign)),
	}},
	{"two first writers both succeed", []Operation{
		at(1, 4, set(0, 1).first()), at(2, 5, set(0, 2).first()),
	}},
	{"a first-write conflicts with nothing", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, remove(0)), conflict(at(5, 6, set(0, 2).first())),
	}},
	{"a deleted item comes back", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, remove(0)), at(5, 6, reads(0, 0)), at(7, 8, reads(0, 1)),
	}},
	{"a delete with an ETag that does not delete", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 1)), at(5, 6, remove(0).when(1)), at(7, 8, reads(0, 1)),
	}},
	{"a delete with a stale ETag succeeds", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 1)), at(5, 6, set(0, 2)), at(7, 8, remove(0).when(1)),
	}},
	{"half a transaction is seen", []Operation{
		at(1, 2, set(0, 1), set(1, 2)), at(3, 4, set(0, 3), set(1, 4)),
		at(5, 6, reads(0, 3), reads(1, 2)),
	}},
	{"half a transaction is seen while it runs", []Operation{
		at(1, 2, set(0, 1), set(1, 2)), at(3, 20, set(0, 3), set(1, 4)),
		at(5, 6, reads(0, 3)), at(7, 8, reads(1, 2)),
	}},
	{"half a transaction is left by a kill", []Operation{
		at(1, 2, set(0, 1), set(1, 2)), maybe(at(3, 20, set(0, 3), set(1, 4))),
		at(30, 31, reads(0, 3)), at(32, 33, reads(1, 2)),
	}},
	{"a transaction whose condition failed wrote the rest", []Operation{
		at(1, 2, set(0, 1), set(1, 2)), at(3, 4, reads(0, 1), reads(1, 2)), at(5, 6, set(0, 3)),
		conflict(at(7, 8, set(0, 4).when(1), set(1, 5))), at(9, 10, reads(1, 5)),
	}},
	{"a transaction takes two ETags of which one is stale", []Operation{
		at(1, 2, set(0, 1), set(1, 2)), at(3, 4, reads(0, 1), reads(1, 2)), at(5, 6, set(1, 3)),
		at(7, 8, set(0, 4).when(1), set(1, 5).when(2)),
	}},
	{"a bulk read of two moments", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, set(1, 2)),
		at(5, 6, set(0, 3)), at(7, 8, set(1, 4)),
		at(4, 9, reads(0, 1), reads(1, 4)),
	}},
	{"two keys written one after the other, seen the other way round", []Operation{
		at(1, 10, set(0, 1)), at(1, 10, set(1, 2)),
		at(2, 3, reads(0, 1), reads(1, 0)), at(4, 5, reads(0, 0), reads(1, 2)),
	}},
	{"transfers that make money: each write skew of two snapshots", []Operation{
		at(1, 2, set(0, 1), set(1, 2)), at(3, 4, reads(0, 1), reads(1, 2)),
		at(5, 9, set(0, 3).when(1), set(1, 4).when(2)), at(5, 9, set(0, 5).when(1), set(1, 6).when(2)),
	}},
	{"a write that was maybe done is undone again", []Operation{
		at(1, 2, set(0, 1)), maybe(at(3, 50, set(0, 2))), at(5, 6, reads(0, 2)), at(7, 8, reads(0, 1)),
	}},
	{"a write that was maybe done happens after its process is dead", []Operation{
		at(1, 2, set(0, 1)), maybe(at(3, 10, set(0, 2))), at(12, 13, reads(0, 1)), at(14, 15, reads(0, 2)),
	}},
	{"a write that was maybe done is counted as done", []Operation{
		// Yes in place of maybe, and the value never came.
		at(1, 2, set(0, 1)), at(3, 10, set(0, 2)), at(12, 13, reads(0, 1)),
	}},
	{"two writes that were maybe done explain one conflict too many", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 1)),
		maybe(at(5, 100, set(0, 2).when(1))), conflict(at(6, 7, set(0, 3).when(1))),
		at(8, 9, reads(0, 1)),
	}},
	{"a maybe of a former life happens in the next", []Operation{
		at(1, 2, set(0, 1)), maybe(at(3, 10, remove(0))), at(20, 21, reads(0, 1)), at(22, 23, reads(0, 0)),
	}},
	{"one delete that was maybe done deletes twice", []Operation{
		at(1, 2, set(0, 1)), maybe(at(1, 100, remove(0))),
		at(3, 4, reads(0, 0)), at(5, 6, set(0, 2)), at(7, 8, reads(0, 2)), at(9, 10, reads(0, 0)),
	}},
	{"a conflict with a value that was not there any more", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 1)), at(5, 6, set(0, 2)),
		found(1, at(7, 8, set(0, 3).first())),
	}},
	{"a conflict with the very value that was expected", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 1)), found(1, at(5, 6, set(0, 2).when(1))),
	}},
	{"a conflict with no item where there is one", []Operation{
		at(1, 2, set(0, 1)), found(0, at(3, 4, set(0, 2).when(Foreign))), at(5, 6, reads(0, 1)),
	}},
	{"a conflict with an item where there is none", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, remove(0)), found(Unread, at(5, 6, set(0, 2).first())),
	}},
	{"a transaction that names the second condition though the first failed", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 1)), at(5, 6, set(0, 2)),
		{Call: 7e6, Return: 8e6, Parts: []Part{set(0, 3).when(1), set(1, 4).when(Foreign)},
			Outcome: Conflict, Failed: 2, Found: 0},
	}},
	{"an item outlives its time", []Operation{
		at(1, 2, set(0, 1).living(1)), at(1500, 1501, reads(0, 1)),
	}},
	{"an item dies before its time", []Operation{
		at(1, 2, set(0, 1).living(1)), at(500, 501, reads(0, 0)),
	}},
	{"an expired item comes back", []Operation{
		at(1, 2, set(0, 1).living(1)), at(1000, 1001, reads(0, 0)), at(1002, 1003, reads(0, 1)),
	}},
	{"the ETag of an expired item holds", []Operation{
		at(1, 2, set(0, 1).living(1)), at(3, 4, reads(0, 1)), at(1500, 1501, set(0, 2).when(1)),
	}},
	{"an expired item is in the way of a first-write", []Operation{
		at(1, 2, set(0, 1).living(1)), conflict(at(1500, 1501, set(0, 2).first())),
	}},
	{"an item without a time to live inherits the former's", []Operation{
		at(1, 2, set(0, 1).living(1)), at(3, 4, set(0, 2)), at(1500, 1501, reads(0, 0)),
	}},
}

var right = []example{
	{"nothing", nil},
	{"a read of what is not there", []Operation{at(1, 2, reads(0, 0))}},
	{"concurrent writes in either order", []Operation{
		at(1, 9, set(0, 1)), at(1, 9, set(0, 2)), at(10, 11, reads(0, 1)),
	}},
	{"a read during a write sees either", []Operation{
		at(1, 2, set(0, 1)), at(3, 20, set(0, 2)), at(4, 5, reads(0, 1)), at(6, 7, reads(0, 2)),
	}},
	{"of two with one ETag one wins", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 1)),
		at(5, 8, set(0, 2).when(1)), conflict(at(6, 9, set(0, 3).when(1))), at(10, 11, reads(0, 2)),
	}},
	{"a maybe that happened", []Operation{
		at(1, 2, set(0, 1)), maybe(at(3, 10, set(0, 2))), at(12, 13, reads(0, 2)),
	}},
	{"a maybe that did not", []Operation{
		at(1, 2, set(0, 1)), maybe(at(3, 10, set(0, 2))), at(12, 13, reads(0, 1)),
	}},
	{"a maybe that happened late", []Operation{
		at(1, 2, set(0, 1)), maybe(at(3, 100, set(0, 2))), at(12, 13, reads(0, 1)), at(14, 15, reads(0, 2)),
	}},
	{"a maybe that nobody saw explains a conflict", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 1)), maybe(at(5, 100, set(0, 2))),
		conflict(at(6, 7, set(0, 3).when(1))), at(8, 9, set(0, 4)),
	}},
	{"a maybe that nobody saw explains an absence", []Operation{
		at(1, 2, set(0, 1)), maybe(at(1, 100, remove(0))), at(3, 4, reads(0, 0)),
	}},
	{"a conflict that found what was there", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 1)), at(5, 6, set(0, 2)), at(5, 6, set(1, 3)),
		found(Unread, at(7, 8, set(0, 4).when(1))), found(0, at(7, 8, set(2, 5).when(Foreign))),
		found(1, at(4, 7, set(0, 6).first())),
	}},
	{"a conflict that found what was maybe written", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 1)), maybe(at(5, 100, set(0, 2))),
		found(Unread, at(7, 8, set(0, 4).when(1))), at(9, 10, remove(0)),
	}},
	{"two maybes together explain one answer", []Operation{
		at(1, 2, set(0, 1), set(1, 2)), maybe(at(3, 100, remove(0))), maybe(at(3, 100, remove(1))),
		at(5, 6, reads(0, 0), reads(1, 0)),
	}},
	{"one maybe makes way for another", []Operation{
		at(1, 2, set(0, 1), set(1, 2)), maybe(at(3, 100, remove(0))),
		maybe(at(3, 100, set(0, 3).first(), remove(1))), at(5, 6, reads(1, 0)),
	}},
	{"maybes of two lives, each in its own", []Operation{
		at(1, 2, set(0, 1)), maybe(at(3, 10, remove(0))), at(20, 21, reads(0, 0)),
		at(22, 23, set(0, 2)), at(24, 25, reads(0, 2)), maybe(at(22, 30, remove(0))), at(40, 41, reads(0, 0)),
	}},
	{"a maybe explains the second conflict of the next life", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, reads(0, 1)), maybe(at(5, 10, set(0, 2))),
		conflict(at(20, 21, set(0, 3).when(Foreign))), conflict(at(22, 23, set(0, 4).when(1))),
	}},
	{"each of many maybes once", []Operation{
		at(1, 2, set(0, 1)), maybe(at(1, 100, remove(0))), maybe(at(1, 100, remove(0))),
		at(3, 4, reads(0, 0)), at(5, 6, set(0, 2)), at(7, 8, reads(0, 2)), at(9, 10, reads(0, 0)),
	}},
	{"half a bulk write that is no transaction", []Operation{
		at(1, 20, set(0, 1)), at(1, 20, set(1, 2)), at(3, 4, reads(0, 1), reads(1, 0)),
	}},
	{"a transaction that deletes and writes anew", []Operation{
		at(1, 2, set(0, 1)), at(3, 4, remove(0), set(0, 2).first()), at(5, 6, reads(0, 2)),
	}},
	{"an item that may have expired is there, and then not", []Operation{
		at(1, 2, set(0, 1).living(1)), at(950, 951, reads(0, 1)), at(1050, 1051, reads(0, 0)),
	}},
	{"the ETag of an item that may have expired may conflict", []Operation{
		at(1, 2, set(0, 1).living(1)), at(3, 4, reads(0, 1)), conflict(at(1000, 1001, set(0, 2).when(1))),
		at(1002, 1003, reads(0, 0)),
	}},
}

func TestKnownBadHistoriesAreCaught(t *testing.T) {
	for _, example := range wrong {
		t.Run(example.name, func(t *testing.T) {
			if verdict := Check(example.history); verdict != Illegal {
				t.Errorf("the verdict is %q", verdict)
			}
		})
	}
}

func TestHistoriesThatCanBeExplainedAreNotCaught(t *testing.T) {
	for _, example := range right {
		t.Run(example.name, func(t *testing.T) {
			if verdict := Check(example.history); verdict != Linearizable {
				t.Errorf("the verdict is %q", verdict)
			}
		})
	}
}

// Among other operations, of other keys and of the same, whose order is free.
func TestKnownBadHistoriesAreCaughtInACrowd(t *testing.T) {
	for _, example := range wrong {
		t.Run(example.name, func(t *testing.T) {
			if verdict := Check(crowded(example.history)); verdict != Illegal {
				t.Errorf("the verdict is %q", verdict)
			}
		})
	}
}

func crowded(history []Operation) []Operation {
	crowd := slices.Clone(history)
	for i := range 200 {
		v := Value(1000 + i)
		crowd = append(crowd,
			at(10*i, 10*i+35, set(2, v)),
			conflict(at(10*i+1, 10*i+36, set(3, v+1000).when(Foreign))),
			maybe(at(10*i, 1e6, set(2, v+2000))))
	}
	return crowd
}

func TestACoreIsWhatContradictsItself(t *testing.T) {
	history := crowded([]Operation{
		at(1, 2, set(0, 1)), at(3, 4, set(0, 2)), at(5, 6, reads(0, 2)), at(7, 8, reads(0, 1)), at(9, 10, set(0, 3)),
	})
	core := Core(history)
	// What was written, and two reads that disagree; or the second write, and
	// the read that is behind it.
	if len(core) < 3 || len(core) > 4 || Check(core) != Illegal {
		t.Errorf("the core has %d operations, and is %q:", len(core), Check(core))
		for _, op := range core {
			t.Log(op)
		}
	}
}
