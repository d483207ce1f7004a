package bench

import "time"

// arrivals are files that are meant to come evenly, at a rate, whatever becomes of
// those before: a late arrival does not delay the next one.
type arrivals struct {
	files int
	rate  float64 // a second; 0: all at once
	every int     // of so many files one is watched, and the last one
	begin time.Time
}

// watchedASecond is how many files are watched at most; each costs a look-up
// every few milliseconds until it is finished.
const watchedASecond = 100

// arriving are the arrivals of so many seconds, at least one.
func arriving(rate float64, seconds int) arrivals {
	n := max(1, int(rate*float64(seconds)))
	return arrivals{files: n, rate: rate, every: every(n, seconds*watchedASecond)}
}

// maxParallel are files that all are due at the begin.
func atOnce(files, watched int) arrivals { return arrivals{files: files, every: every(files, watched)} }

// every is the step that takes at most so many of n.
func every(n, most int) int { return max(1, (n+most-1)/most) }

// due is when the i-th file, from 0, is meant to come.
func (a *arrivals) due(i int) time.Time {
	if a.rate == 0 {
		return a.begin
	}
	return a.begin.Add(time.Duration(float64(i) / a.rate * float64(time.Second)))
}

// span is how long they take to come.
func (a *arrivals) span() time.Duration { return a.due(a.files).Sub(a.begin) }

func (a *arrivals) watched(i int) bool { return i%a.every == 0 || i == a.files-1 }
