package bench

import (
	"fmt"
	"math"
	"slices"
)

// hostTime is the time of all processors of this machine since it started, in ticks.
type hostTime struct{ all, stolen int64 }

// stolenSince returns which percentage of the processors' time was stolen since another
// reading: they had work, and the host of this virtual machine gave the time to others.
func (t hostTime) stolenSince(begun hostTime) float64 {
	if t.all <= begun.all {
		return 0 // no tick, or a system that does not tell
	}
	percent := 100 * float64(t.stolen-begun.stolen) / float64(t.all-begun.all)
	return math.Round(100*percent) / 100
}

// muchStolen is the percentage from which on a rate or a latency tells more about the
// neighbours of this machine than about what is measured.
const muchStolen = 3

// Stolen says how much of the processors' time the host gave to others in some rounds, and
// marks the rounds in which it was much; empty when nothing was stolen.
func Stolen(percents []float64) string {
	most := slices.Max(percents)
	if most < 0.05 {
		return ""
	}
	text := fmt.Sprintf("%.1f %%", most)
	much := 0
	for _, percent := range percents {
		if percent > muchStolen {
			much++
		}
	}
	switch {
	case much == 0:
		return text
	case len(percents) == 1:
		return text + " !"
	}
	return fmt.Sprintf("%s ! in %d of %d", text, much, len(percents))
}

// StolenNote explains the mark of Stolen when one of some percentages has it.
func StolenNote(percents []float64) string {
	if len(percents) == 0 || slices.Max(percents) <= muchStolen {
		return ""
	}
	return fmt.Sprintf("! The host gave more than %d %% of the processors' time to others: measure again on a quiet machine.", muchStolen)
}
