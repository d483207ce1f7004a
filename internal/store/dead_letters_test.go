package store

import (
	"bytes"
	"strings"
	"testing"
)

func TestDeadLetters(t *testing.T) {
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
		letters, err := b.DeadLetters(t.Context(), 0, 10)
		if err != nil || len(letters) != 3 || !bytes.Equal(letters[2].Payload, payload) || len(letters[1].Payload) != maxDeadLetterPayload {
			t.Fatalf("%d dead letters, %v", len(letters), err)
		}
		if !letters[2].ReceivedAt.Equal(b.clock.Now()) || !strings.HasPrefix(letters[2].Reason, "bad: ") {
			t.Errorf("%v, %.20q", letters[2].ReceivedAt, letters[2].Reason)
		}
	})
}
