package tasks

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Range is a run of consecutive file numbers, both ends included.
type Range struct{ First, Last int64 }

// Ranges is a set of file numbers: ascending, disjoint, never adjacent runs.
// The zero value is the empty set. Its text form is "1-500,503".
type Ranges []Range

// ErrRanges is wrapped by every error of ParseRanges.
var ErrRanges = errors.New("bad file ranges")

// maxFiles limits the numbers in a text of ranges, so that a damaged message
// cannot ask for billions of rows.
const maxFiles = 1 << 20

// maxNumber is far above any file's number, and far enough below the largest
// integer that counting past it is safe.
const maxNumber = 1 << 60

// NewRanges collects numbers, in any order and with repeats, into ranges.
func NewRanges(numbers []int64) Ranges {
	if !slices.IsSorted(numbers) {
		numbers = slices.Sorted(slices.Values(numbers))
	}
	var rs Ranges
	for _, n := range numbers {
		rs = rs.extend(n)
	}
	return rs
}

func (rs Ranges) extend(n int64) Ranges {
	if len(rs) > 0 {
		last := &rs[len(rs)-1]
		if n <= last.Last {
			return rs
		}
		if n == last.Last+1 {
			last.Last = n
			return rs
		}
	}
	return append(rs, Range{n, n})
}

// ParseRanges reads the text form. Numbers must be positive and ascending.
func ParseRanges(s string) (Ranges, error) {
	if s == "" {
		return nil, fmt.Errorf("%w: empty", ErrRanges)
	}
	var rs Ranges
	var total int64
	for part := range strings.SplitSeq(s, ",") {
		r, err := parseRange(part)
		if err != nil {
			return nil, err
		}
		if len(rs) > 0 && r.First <= rs[len(rs)-1].Last+1 {
			return nil, fmt.Errorf("%w: %q does not follow the range before it", ErrRanges, part)
		}
		if total += r.Last - r.First + 1; total > maxFiles {
			return nil, fmt.Errorf("%w: more than %d files", ErrRanges, maxFiles)
		}
		rs = append(rs, r)
	}
	return rs, nil
}

func parseRange(s string) (Range, error) {
	first, last, ok := strings.Cut(s, "-")
	if !ok {
		last = first
	}
	a, errA := strconv.ParseInt(first, 10, 64)
	b, errB := strconv.ParseInt(last, 10, 64)
	if errA != nil || errB != nil || a < 1 || b < a || b > maxNumber || b-a >= maxFiles {
		return Range{}, fmt.Errorf("%w: %.40q is not a range of file numbers", ErrRanges, s)
	}
	return Range{a, b}, nil
}

func (rs Ranges) String() string {
	var b strings.Builder
	for i, r := range rs {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatInt(r.First, 10))
		if r.Last > r.First {
			b.WriteByte('-')
			b.WriteString(strconv.FormatInt(r.Last, 10))
		}
	}
	return b.String()
}

// Len returns how many numbers are in the set.
func (rs Ranges) Len() int {
	var n int64
	for _, r := range rs {
		n += r.Last - r.First + 1
	}
	return int(n)
}

// first returns the set's first n numbers.
func (rs Ranges) first(n int64) Ranges {
	for i, r := range rs {
		if r.Last-r.First+1 >= n {
			return append(rs[:i:i], Range{r.First, r.First + n - 1})
		}
		n -= r.Last - r.First + 1
	}
	return rs
}

// All yields the numbers in ascending order.
func (rs Ranges) All() iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for _, r := range rs {
			for n := r.First; n <= r.Last; n++ {
				if !yield(n) {
					return
				}
			}
		}
	}
}

// Contains reports whether n is in the set.
func (rs Ranges) Contains(n int64) bool {
	_, found := slices.BinarySearchFunc(rs, n, func(r Range, n int64) int {
		switch {
		case r.Last < n:
			return -1
		case r.First > n:
			return 1
		}
		return 0
	})
	return found
}
