package store

import (
	"bytes"
	"strings"
	"testing"
)

func TestSetAside(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		payload := []byte("{\xff\x00'")
		if err := b.AddDeadLetter(t.Context(), "odd\xff"+strings.Repeat("y", 300), payload, "bad: \xfe"+strings.Repeat("é", 9000)); err != nil {
			t.Fatal(err)
		}
		if err := b.AddDeadLetter(t.Context(), "", make([]byte, 3<<20), ""); err != nil {
			t.Fatal(err)
		}
		if err := b.AddDeadLetter(t.Context(), "none", nil, "nothing"); err != nil {
			t.Fatal(err)
		}
		asides, err := b.DeadLetters(t.Context(), 10)
		if err != nil || len(asides) != 3 || !bytes.Equal(asides[2].Payload, payload) || len(asides[1].Payload) != maxDeadLetterPayload {
			t.Fatalf("%d set aside, %v", len(asides), err)
		}
		if !asides[2].ReceivedAt.Equal(b.clock.Now()) || !strings.HasPrefix(asides[2].Reason, "bad: ") {
			t.Errorf("%v, %.20q", asides[2].ReceivedAt, asides[2].Reason)
		}
	})
}
