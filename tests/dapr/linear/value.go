// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
)

// What stands in the store for a Value: its number, and bytes that follow from
// the number. Most are short, some fill pages of their own.
func textOf(v Value) []byte {
	size := 0
	switch random := mixed(uint64(v)); {
	case random%100 < 85:
		size = int(random >> 32 % 200)
	case random%100 < 98:
		size = int(random >> 32 % 5_000)
	default:
		size = 60_000 + int(random>>32%10_000) // beyond 64 KiB a worker takes it
	}
	text := make([]byte, 0, size+32)
	text = fmt.Appendf(text, "%016x:", uint64(v))
	for i := 0; len(text) < size; i++ {
		text = binary.LittleEndian.AppendUint64(text, mixed(uint64(v)+uint64(i)<<40))
	}
	return text
}

func contentTypeOf(v Value) string { return fmt.Sprintf("x/%x", uint64(v)) }

// valueOf takes what textOf made, whole and unchanged.
func valueOf(text []byte) (Value, error) {
	if len(text) < 17 {
		return 0, fmt.Errorf("%q is nothing that was written", text)
	}
	number, err := strconv.ParseUint(string(text[:16]), 16, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is nothing that was written", text[:17])
	}
	if v := Value(number); bytes.Equal(text, textOf(v)) {
		return v, nil
	}
	return 0, fmt.Errorf("of %s came %d bytes that were not written so", Value(number), len(text))
}
