package worker

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/openfiles"
)

func TestFitOpenFiles(t *testing.T) {
	for _, test := range []struct{ limit, concurrency, connections, want int }{
		{1024, 4, 0, 4}, {96, 4, 0, 4}, {95, 4, 0, 3}, {72, 4, 0, 1}, {256, 64, 0, 24}, {96, 4, 20, 3}, {96, 0, 0, 0},
	} {
		got, err := FitOpenFiles(test.limit, test.concurrency, test.connections)
		if err != nil || got != test.want {
			t.Errorf("%+v: %d batches at once, %v", test, got, err)
		}
	}
	for _, limit := range []int{0, 12, 40, 71} {
		_, err := FitOpenFiles(limit, 4, 0)
		if err == nil || !strings.Contains(err.Error(), "at least 72") || !strings.Contains(err.Error(), "ulimit -n 96") {
			t.Errorf("a limit of %d: %v", limit, err)
		}
	}
	if openfiles.Limit() < 12 {
		t.Error("the system allows hardly any open file")
	}
}
