package worker

import "time"

// writeTimes has what the last two heartbeats took to write. One that was slow says
// nothing: other work of this host may have delayed it.
type writeTimes [2]time.Duration

func (w *writeTimes) add(took time.Duration) { *w = writeTimes{w[1], took} }

// both is what each of them took at least; 0 until there are two.
func (w *writeTimes) both() time.Duration { return min(w[0], w[1]) }
