package testkit

import "testing"

func TestGoldenTellsADifference(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/golden"
	a := &accused{TB: t}
	Golden(a, file, "text", true)
	Golden(a, file, "text", false)
	if len(a.said) > 0 {
		t.Errorf("of what is as it should be: %q", a.said)
	}
	Golden(a, file, "other", false)
	if len(a.said) != 1 {
		t.Errorf("of a difference: %q", a.said)
	}
}
