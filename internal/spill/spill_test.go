package spill

import (
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAnyRecordsComeBackInOrder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	rapid.Check(t, func(t *rapid.T) {
		s := New(rapid.IntRange(1, 5).Draw(t, "limit"))
		defer s.Close()
		keys := rapid.SliceOf(rapid.String()).Draw(t, "keys")
		if rapid.Bool().Draw(t, "long") { // longer than what is written at a time
			for i := range keys {
				keys[i] += strings.Repeat("x", 5000)
			}
		}
		for _, k := range keys {
			if err := s.Add(Record{k, "of " + k}); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for r, err := range s.Sorted() {
			if err != nil || r.Value != "of "+r.Key {
				t.Fatalf("%q, %v", r, err)
			}
			got = append(got, r.Key)
		}
		if slices.Sort(keys); !slices.Equal(got, keys) {
			t.Fatalf("%q, want %q", got, keys)
		}
	})
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
