package signing

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// Hint is what to do when processes have different keys.
const Hint = "give all processes the same redis.signing_keys, and restart those that differ"

// Difference says what a worker and a process with the keys of these names, in order, do not
// accept from each other; empty when they agree.
func Difference(here []string, w *tasks.Worker) string {
	there := w.SigningKeys
	switch {
	case len(here) == 0 && len(there) == 0:
		return ""
	case len(here) == 0:
		return fmt.Sprintf("worker %s refuses the messages of processes like this one, which has no keys (it has %s), "+
			"and this process accepts any message, signed or not", w.Name, strings.Join(there, ", "))
	case len(there) == 0:
		return fmt.Sprintf("worker %s has no keys, and this process has %s: it accepts any message, and its own are refused",
			w.Name, strings.Join(here, ", "))
	case !slices.Contains(there, here[0]):
		return fmt.Sprintf("worker %s refuses what is signed here with key %s: it has %s", w.Name, here[0], strings.Join(there, ", "))
	case !slices.Contains(here, there[0]):
		return fmt.Sprintf("worker %s signs with key %s, which this process does not have: it has %s",
			w.Name, there[0], strings.Join(here, ", "))
	}
	return ""
}

// WarnOfDifferences writes a warning to the log when live workers have other keys than this
// process, and otherwise a line for debugging. own is the name of its own worker, which is left out; workers of the same name do
// not run at the same time.
func (k *Keys) WarnOfDifferences(ctx context.Context, log *slog.Logger, own string, workers []tasks.Worker) {
	first, differ, others := "", 0, 0
	for i := range workers {
		if workers[i].Name == own {
			continue
		}
		others++
		if what := Difference(k.IDs(), &workers[i]); what != "" {
			differ++
			if first == "" {
				first = what
			}
		}
	}
	if differ > 0 {
		log.WarnContext(ctx, "the keys of signed messages differ between processes: batches come late or not at all; "+Hint,
			"difference", first, "workers", others, "differ", differ)
		return
	}
	log.DebugContext(ctx, "the keys of signed messages agree between processes", "workers", others)
}
