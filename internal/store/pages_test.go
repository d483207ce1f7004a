package store_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/balerhq/baler/internal/keyset"
)

// listed lists the numbers from 1 to n after a key, and counts how often it was asked.
type listed struct{ n, limit, asked int }

func (l *listed) page(after int) (numbers []int, err error) {
	l.asked++
	for no := after + 1; no <= l.n && len(numbers) < l.limit; no++ {
		numbers = append(numbers, no)
	}
	return numbers, nil
}

func itself(no *int) int { return *no }

func TestPagesYieldEveryItemOnce(t *testing.T) {
	for n, asked := range map[int]int{0: 1, 2: 1, 3: 2, 7: 3} { // a full page may be followed by another
		l := &listed{n: n, limit: 3}
		var got []int
		for no, err := range keyset.Paginate(l.limit, l.page, itself) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, no)
		}
		want, _ := (&listed{limit: n, n: n}).page(0)
		if !slices.Equal(got, want) || l.asked != asked {
			t.Errorf("of %d: %v, asked %d times", n, got, l.asked)
		}
	}
}

func TestPagesEndWithTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	l := &listed{n: 9, limit: 3}
	var got []int
	var errs []error
	for no, err := range keyset.Paginate(l.limit, func(after int) ([]int, error) {
		if after > 0 {
			return nil, broken
		}
		return l.page(after)
	}, itself) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		got = append(got, no)
	}
	if !slices.Equal(got, []int{1, 2, 3}) || len(errs) != 1 || !errors.Is(errs[0], broken) {
		t.Errorf("%v, then %v", got, errs)
	}
}

func TestPagesReadNoFurtherThanIsAsked(t *testing.T) {
	l := &listed{n: 9, limit: 3}
	for no := range keyset.Paginate(l.limit, l.page, itself) {
		if no == 2 {
			break
		}
	}
	if l.asked != 1 {
		t.Errorf("asked %d times", l.asked)
	}
}
