package testkit

import (
	"errors"
	"testing"
)

type jammed struct{ err error }

func (j jammed) Close() error { return j.err }

func TestCloseAtEndTellsOfAnError(t *testing.T) {
	t.Parallel()
	for _, want := range []error{nil, errors.New("jammed")} {
		a := &accused{TB: t}
		CloseAtEnd(a, jammed{want})
		if said := a.end(); (said != "") != (want != nil) {
			t.Errorf("of the error %v: %q", want, said)
		}
	}
}
