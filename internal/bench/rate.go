package bench

import (
	"cmp"
	"slices"
	"time"
)

// mostOf is the share of files after which a rate is measured: the last ones wait for
// others that never come.
const mostOf = 0.9

// sustained returns the files per second of a load that was all due at the beginning, until
// most of the files were visible. It includes the cost of submitting the files, and the
// time that the first of them waited, so many files give a better figure than few.
func sustained(files int, begin time.Time, samples []sample) float64 {
	at := make([]float64, len(samples))
	for i := range samples {
		at[i] = samples[i].seen.Sub(begin).Seconds()
	}
	return float64(files) * mostOf / quantile(at, mostOf)
}

// Below these a growing delay is taken for chance.
const (
	behindShare  = 0.1 // seconds a second
	behindLeast  = 500 * time.Millisecond
	fewestInPart = 4
)

// falling is how much later each second's files were than those of the second
// before, in seconds, by the medians of the first and of the last third: 0 for
// who keeps up with what comes.
func falling(samples []sample) float64 {
	s := slices.SortedFunc(slices.Values(samples), func(a, b sample) int { return cmp.Compare(a.due.UnixNano(), b.due.UnixNano()) })
	third := len(s) / 3
	if third < fewestInPart {
		return 0
	}
	first, last := s[:third], s[len(s)-third:]
	grown := medianOf(last, seconds) - medianOf(first, seconds)
	apart := last[third/2].due.Sub(first[third/2].due).Seconds()
	if grown < behindLeast.Seconds() || grown < behindShare*apart {
		return 0
	}
	return grown / apart
}

func seconds(s sample) float64 { return s.took().Seconds() }
