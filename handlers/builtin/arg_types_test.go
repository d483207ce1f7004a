package builtin

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Each argument of each handler takes values of at most one type, and the error about another
// one names the argument. Values that a script gets as they are take all.
func TestArgumentsOfWrongTypesAreRefused(t *testing.T) {
	takesAll := []string{"coprocess args", "coprocess version"}
	values := []any{1.5, true, "\x00", []any{[]any{}}, map[string]any{"a": []any{map[string]any{}}}}
	needed := map[string]map[string]any{
		"exec": {"command": []any{"true"}}, "coprocess": {"command": []any{"true"}},
		"copy": {"to": "/to"}, "move": {"to": "/to"}, "extract": {"to": "/to"}, "thumbnail": {"to": "/to"},
		"bag": {"to": "/to"}, "manifest": {"to": "/to"}, "mets": {"to": "/to"}, "premis": {"to": "/to"}, "report": {"to": "/to"},
	}
	r := Registry()
	checks := make(map[string]func(any) error)
	for _, name := range r.Names() {
		reg, _ := r.Lookup(name)
		checks[name] = reg.CheckArgs
	}
	for _, name := range r.FinalizerNames() {
		reg, _ := r.LookupFinalizer(name)
		checks["final "+name] = reg.CheckArgs
	}
	tried := 0
	for key, check := range checks {
		if key == "noop" { // it takes no notice of arguments
			continue
		}
		if check == nil {
			t.Errorf("%s does not check its arguments", key)
			continue
		}
		name := strings.TrimPrefix(key, "final ")
		err := check(map[string]any{"no such": 1})
		if err == nil {
			t.Errorf("%s takes an argument that it does not have", key)
			continue
		}
		_, list, _ := strings.Cut(err.Error(), "there are ")
		list, _, _ = strings.Cut(list, "\n")
		if list == "" || list == "none" {
			continue
		}
		for arg := range strings.SplitSeq(list, ", ") {
			var taken []string
			for _, v := range values {
				args := map[string]any{}
				maps.Copy(args, needed[name])
				args[arg] = v
				tried++
				switch err := check(args); {
				case err == nil:
					taken = append(taken, fmt.Sprint(v))
				case !strings.Contains(err.Error(), arg):
					t.Errorf("%s: %s of %v: the error does not name it: %v", key, arg, v, err)
				}
			}
			if len(taken) > 1 && !slices.Contains(takesAll, key+" "+arg) {
				t.Errorf("%s: %s takes %q", key, arg, taken)
			}
		}
	}
	if tried < 250 {
		t.Errorf("tried %d values", tried)
	}
}
