package testkit

import (
	"context"
	"errors"
	"testing"
)

func TestBackgroundEndsWithTheTestAndTellsItsError(t *testing.T) {
	t.Parallel()
	for _, want := range []error{nil, errors.New("broken")} {
		a, ended := &accused{TB: t}, false
		stop := Background(a, func(ctx context.Context) error {
			<-ctx.Done()
			ended = true
			return want
		})
		stop()
		if !ended {
			t.Error("stop did not wait")
		}
		if said := a.end(); (said != "") != (want != nil) || len(a.said) > 1 {
			t.Errorf("of the error %v: %q", want, said)
		}
	}
}
