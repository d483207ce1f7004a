package testkit

import (
	"errors"
	"testing"
)

type brokenCloser struct{ err error }

func (c brokenCloser) Close() error { return c.err }

func TestCloseAtEndReportsAnError(t *testing.T) {
	t.Parallel()
	for _, want := range []error{nil, errors.New("broken")} {
		r := &errorRecorder{TB: t}
		CloseAtEnd(r, brokenCloser{want})
		if got := r.end(); (got != "") != (want != nil) {
			t.Errorf("for the error %v: %q", want, got)
		}
	}
}
