package recipe_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/tasks"
)

const finalRecipe = `name: a
steps:
  - handler: checksum
finally:
  - name: sums
    handler: manifest
    with: {to: "/out/${transfer}-${name}/${created.Year()}.txt", n: "${files + bytes}"}
    timeout: 2h
    retry: {attempts: 5, backoff: 1m}
  - handler: report
`

func TestFinalizers(t *testing.T) {
	t.Parallel()
	r := parse(t, finalRecipe)
	if len(r.FinalSteps) != 2 || len(r.Steps) != 1 {
		t.Fatalf("got %+v", r)
	}
	s := r.FinalSteps[0]
	if s.Number != 1 || s.Name != "sums" || s.Handler != "manifest" || s.Timeout != 2*time.Hour || !s.ArgsTemplated() ||
		s.Retry != (tasks.RetryPolicy{Attempts: 5, Backoff: time.Minute}) {
		t.Errorf("got %+v", s)
	}
	args, err := s.Args(&tasks.Transfer{
		UUID: "u", Name: "n", Files: 2, Bytes: 3, CreatedAt: time.Date(2026, time.January, 1, 1, 0, 0, 0, time.FixedZone("", 7200)),
	})
	if want := map[string]any{"to": "/out/u-n/2025.txt", "n": 5}; err != nil || !reflect.DeepEqual(args, want) {
		t.Errorf("got %v, %v", args, err)
	}
	if s := r.FinalSteps[1]; s.Number != 2 || s.Name != "report" || s.ArgsTemplated() {
		t.Errorf("got %+v", s)
	}
}

// Final steps run after all results, so they do not change the digest.
func TestDigestIgnoresFinalSteps(t *testing.T) {
	t.Parallel()
	before, _, _ := strings.Cut(finalRecipe, "finally:")
	if parse(t, finalRecipe).Digest() != parse(t, before).Digest() {
		t.Error("final steps change the digest")
	}
}
