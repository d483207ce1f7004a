package testkit

import "testing"

func TestGoldenReportsADifference(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/golden"
	r := &errorRecorder{TB: t}
	Golden(r, file, "text", true)
	Golden(r, file, "text", false)
	if len(r.errors) > 0 {
		t.Errorf("without a difference: %q", r.errors)
	}
	Golden(r, file, "other", false)
	if len(r.errors) != 1 {
		t.Errorf("with a difference: %q", r.errors)
	}
}
