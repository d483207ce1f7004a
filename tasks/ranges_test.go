package tasks_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/tasks"
)

func TestNewRanges(t *testing.T) {
	for want, numbers := range map[string][]int64{
		"":          nil,
		"7":         {7},
		"1-3":       {1, 2, 3},
		"1-3,5":     {5, 2, 1, 3, 2, 5},
		"1,3,5":     {1, 3, 5},
		"1-500,503": append(slices.Collect(tasks.Ranges{{First: 1, Last: 500}}.All()), 503),
	} {
		if got := tasks.NewRanges(numbers).String(); got != want {
			t.Errorf("of %v: %q, want %q", numbers, got, want)
		}
	}
}

func TestNewRangesLeavesItsArgumentAlone(t *testing.T) {
	numbers := []int64{3, 1, 2}
	tasks.NewRanges(numbers)
	if !slices.Equal(numbers, []int64{3, 1, 2}) {
		t.Errorf("changed to %v", numbers)
	}
}

func TestRangesAreASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfN(rapid.Int64Range(1, 200), 1, 300).Draw(t, "numbers")
		set := map[int64]bool{}
		for _, n := range numbers {
			set[n] = true
		}
		rs := tasks.NewRanges(numbers)
		if rs.Len() != len(set) {
			t.Errorf("%v has %d numbers of %d", rs, rs.Len(), len(set))
		}
		for n := range int64(202) {
			if rs.Contains(n) != set[n] {
				t.Errorf("%v: Contains(%d) = %v", rs, n, !set[n])
			}
		}
		all := slices.Collect(rs.All())
		if !slices.IsSorted(all) || len(all) != len(set) {
			t.Errorf("%v yields %v", rs, all)
		}
		for i := 1; i < len(rs); i++ {
			if rs[i].First <= rs[i-1].Last+1 {
				t.Errorf("%v has runs that touch", rs)
			}
		}
		back, err := tasks.ParseRanges(rs.String())
		if err != nil || !slices.Equal(back, rs) {
			t.Errorf("%v read back as %v, %v", rs, back, err)
		}
	})
}

func TestRangesAllStopsWhenToldTo(t *testing.T) {
	var got []int64
	for n := range (tasks.Ranges{{First: 1, Last: 3}, {First: 8, Last: 9}}).All() {
		if got = append(got, n); n == 8 {
			break
		}
	}
	if !slices.Equal(got, []int64{1, 2, 3, 8}) {
		t.Errorf("yielded %v", got)
	}
}

func TestParseRangesRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          "",
		"zero":             "0",
		"a word":           "all",
		"backwards":        "9-3",
		"out of order":     "5,1",
		"overlapping":      "1-5,5",
		"touching":         "1-5,6",
		"an open end":      "1-",
		"a negative":       "-4",
		"three ends":       "1-2-3",
		"blanks":           "1, 3",
		"an empty part":    "1,,3",
		"too large":        "9223372036854775808",
		"too many":         "1-1048577",
		"too many, summed": "1-1048576,1048578",
		"overflow":         "1-9223372036854775807",
	} {
		if rs, err := tasks.ParseRanges(text); !errors.Is(err, tasks.ErrRanges) {
			t.Errorf("%s: %q gave %v, %v", name, text, rs, err)
		}
	}
	if rs, err := tasks.ParseRanges("1-1048576"); err != nil || rs.Len() != 1<<20 {
		t.Errorf("the most that is allowed: %d, %v", rs.Len(), err)
	}
	if _, err := tasks.ParseRanges(strings.Repeat("x", 1000)); len(err.Error()) > 200 {
		t.Errorf("the error repeats all of a long text: %d bytes", len(err.Error()))
	}
}

func FuzzParseRanges(f *testing.F) {
	for _, seed := range []string{"1", "1-500,503", "1,3,5-7", "0", "5-1", "1-", "-", ",", "1-1048576", "9223372036854775807"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rs, err := tasks.ParseRanges(text)
		if err != nil {
			if !errors.Is(err, tasks.ErrRanges) {
				t.Errorf("error %v wraps no ErrRanges", err)
			}
			return
		}
		if rs.Len() < 1 || rs.Len() > 1<<20 {
			t.Fatalf("%q has %d files", text, rs.Len())
		}
		last := rs[len(rs)-1].Last
		if !rs.Contains(rs[0].First) || !rs.Contains(last) || rs.Contains(rs[0].First-1) {
			t.Errorf("%q: wrong at the ends of %v", text, rs)
		}
		back, err := tasks.ParseRanges(rs.String())
		if err != nil || !slices.Equal(back, rs) {
			t.Errorf("%q became %q, which reads as %v, %v", text, rs, back, err)
		}
	})
}
