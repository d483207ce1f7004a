package bench

import (
	"cmp"
	"slices"
	"time"
)

// middleRate is how many of some files a second became visible while the middle
// four fifths of them did: what is before and after is waiting, not work. Where
// that took too short to tell anything the whole time counts, from the begin to
// the last of them.
func middleRate(files int, begin time.Time, samples []sample) float64 {
	at := make([]float64, len(samples))
	for i := range samples {
		at[i] = samples[i].seen.Sub(begin).Seconds()
	}
	const edge, shortest = 0.1, 1 // seconds
	if span := quantile(at, 1-edge) - quantile(at, edge); span >= shortest {
		return float64(files) * (1 - 2*edge) / span
	}
	return float64(files) / quantile(at, 1)
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
