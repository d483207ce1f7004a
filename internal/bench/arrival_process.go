package bench

import "time"

// arrivals has files that are due at even intervals. A late arrival does not delay the next
// one.
type arrivals struct {
	files int
	rate  float64 // per second; 0: all at once
	every int     // one in so many files is watched, and the last one
	begin time.Time
}

// watchedASecond is how many files per second are watched at most. Each costs a query
// every few milliseconds until it is finished.
const watchedASecond = 100

// arriving makes the arrivals of that many seconds, at least one.
func arriving(rate float64, seconds int) arrivals {
	n := max(1, int(rate*float64(seconds)))
	return arrivals{files: n, rate: rate, every: every(n, seconds*watchedASecond)}
}

// maxParallel makes arrivals that are all due at the beginning.
func atOnce(files, watched int) arrivals { return arrivals{files: files, every: every(files, watched)} }

// every returns the step that selects at most so many of n.
func every(n, most int) int { return max(1, (n+most-1)/most) }

// due returns when the i-th file, from 0, is due.
func (a *arrivals) due(i int) time.Time {
	if a.rate == 0 {
		return a.begin
	}
	return a.begin.Add(time.Duration(float64(i) / a.rate * float64(time.Second)))
}

// span returns the time from the first arrival to the last.
func (a *arrivals) span() time.Duration { return a.due(a.files).Sub(a.begin) }

func (a *arrivals) watched(i int) bool { return i%a.every == 0 || i == a.files-1 }
