package testkit

import (
	"context"
	"errors"
	"testing"
)

func TestBackgroundEndsWithTheTestAndReportsItsError(t *testing.T) {
	t.Parallel()
	for _, want := range []error{nil, errors.New("broken")} {
		r, ended := &errorRecorder{TB: t}, false
		stop := Background(r, func(ctx context.Context) error {
			<-ctx.Done()
			ended = true
			return want
		})
		stop()
		if !ended {
			t.Error("stop did not wait")
		}
		if got := r.end(); (got != "") != (want != nil) || len(r.errors) > 1 {
			t.Errorf("for the error %v: %q", want, got)
		}
	}
}
