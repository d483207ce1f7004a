package batcher

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
)

func TestErrorsHoldsWhatWasSet(t *testing.T) {
	var e ItemErrors
	if e.Err() != nil || e.Len() != 0 || e.At(0) != nil {
		t.Error("the zero value reports a failure")
	}
	e.Set(4, io.EOF)
	e.Set(1, io.ErrUnexpectedEOF)
	e.Set(2, io.ErrNoProgress)
	e.Set(2, nil)
	if e.Len() != 2 || !errors.Is(e.At(4), io.EOF) || e.At(2) != nil {
		t.Errorf("holds %v", e.at)
	}
	var order []int
	for i := range e.All() {
		order = append(order, i)
	}
	if !slices.Equal(order, []int{1, 4}) {
		t.Errorf("yields %v", order)
	}
	wrapped := fmt.Errorf("insert: %w", e.Err())
	var found *ItemErrors
	if !errors.As(wrapped, &found) || found != &e {
		t.Error("errors.As does not find it")
	}
	if !errors.Is(wrapped, io.EOF) || errors.Is(wrapped, io.ErrNoProgress) {
		t.Error("errors.Is does not look at the items' errors")
	}
}

func TestSplitErrors(t *testing.T) {
	var none *ItemErrors
	one := &ItemErrors{}
	one.Set(1, io.EOF)
	outside := &ItemErrors{}
	outside.Set(3, io.EOF)

	for name, c := range map[string]struct {
		err   error
		whole bool
		some  int
	}{
		"no error":               {nil, false, 0},
		"a nil *Errors":          {none, false, 0},
		"an empty *Errors":       {&ItemErrors{}, false, 0},
		"any error":              {io.EOF, true, 0},
		"one item":               {one, false, 1},
		"one item, wrapped":      {fmt.Errorf("insert: %w", one), false, 1},
		"empty, wrapped":         {fmt.Errorf("insert: %w", &ItemErrors{}), true, 0},
		"beside another, joined": {errors.Join(io.ErrClosedPipe, one), true, 0},
		"beside another, by %w":  {fmt.Errorf("%w, after %w", io.ErrClosedPipe, one), true, 0},
		"an item out of range":   {outside, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			some, whole := splitErrors(c.err, 3)
			if (whole != nil) != c.whole || some.Len() != c.some {
				t.Errorf("got %v for all, %v for some", whole, some)
			}
			if whole != nil && !errors.Is(whole, c.err) {
				t.Errorf("%v does not wrap %v", whole, c.err)
			}
		})
	}
}
