package architecture_test

import (
	"slices"
	"testing"

	"github.com/balerhq/baler/internal/architecture"
)

// shared are the type names that several packages may define, with the reason.
var shared = map[string]string{
	"Options": "what the package's New or its only function takes",
	"Option":  "an argument of the package's functions, as Go's functional options are named",
	"Store":   "what the package needs of the database, and the types that give it",
	"Error":   "the error type of the package",
	"Errors":  "all errors of one text, each an *Error of the package",
}

// sameInClient are the things that package client has as the API writes them. It has its
// own types because it imports no other package of the module.
var sameInClient = []string{
	"Counts", "File", "FinalizeStep", "Limit", "LiveWork", "Progress", "Result", "Selection", "StepSummary",
	"Submission", "Transfer", "Worker",
}

func TestATypeNameMeansOneThing(t *testing.T) {
	all, err := architecture.LoadTypes(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range architecture.Ambiguities(all) {
		if shared[a.Type] != "" {
			continue
		}
		others := slices.DeleteFunc(slices.Clone(a.Packages), func(p string) bool { return p == "client" })
		if len(others) == 1 && slices.Contains(sameInClient, a.Type) {
			continue
		}
		t.Errorf("%s means different things in %v, and %s has them in sight", a.Type, a.Packages, a.Seen)
	}
}

func TestAmbiguities(t *testing.T) {
	got := architecture.Ambiguities([]architecture.Package{
		{Path: "a", Types: []string{"Report", "Step"}},
		{Path: "b", Types: []string{"Report"}},
		{Path: "c", Types: []string{"Step"}, Imports: []string{"a"}},
		{Path: "d", Imports: []string{"a", "b"}},
		{Path: "e", Imports: []string{"b", "c"}},
	})
	want := []architecture.Ambiguity{
		{Type: "Report", Packages: []string{"a", "b"}, Seen: "d"},
		{Type: "Step", Packages: []string{"a", "c"}, Seen: "c"},
	}
	if !slices.EqualFunc(got, want, func(x, y architecture.Ambiguity) bool {
		return x.Type == y.Type && x.Seen == y.Seen && slices.Equal(x.Packages, y.Packages)
	}) {
		t.Errorf("found %v, want %v", got, want)
	}
}
