package builtin

import (
	"slices"
	"testing"
)

func TestBuiltin(t *testing.T) {
	r := Registry()
	if got := r.Names(); !slices.Equal(got, []string{"checksum", "identify", "noop"}) {
		t.Errorf("names %v", got)
	}
	for _, name := range r.Names() {
		if reg, _ := r.Lookup(name); reg.Description == "" || reg.Batch.MaxItems == 0 {
			t.Errorf("%s: %+v", name, reg)
		}
	}
}

func TestFinalizers(t *testing.T) {
	r := Registry()
	if got := r.FinalizerNames(); !slices.Equal(got, []string{"bag", "manifest", "report"}) {
		t.Errorf("names %v", got)
	}
	if err := Register(r); err == nil {
		t.Error("registered twice")
	}
}
