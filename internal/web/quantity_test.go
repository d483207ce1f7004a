package web

import "testing"

func TestQuantity(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"0 files": quantity(0, "file"), "1 file": quantity(1, "file"), "1,200 files": quantity(1200, "file"),
		"1 batch": quantity(1, "batch", "batches"), "2 batches": quantity(2, "batch", "batches"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
