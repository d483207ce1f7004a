package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/signing"
	"github.com/balerhq/baler/tasks"
)

const signingHint = "give all processes the same redis.signing_keys, and restart those that differ"

// diagnoseSigning says whether queue messages are signed here, and compares the names of the
// keys with those of the live workers.
func (d *doctor) diagnoseSigning(workers []tasks.Worker) []Check {
	if d.cfg.Redis.URL == string(config.Embedded) {
		return nil
	}
	texts, err := d.cfg.Redis.ReadSigningKeys()
	if err != nil {
		return []Check{ill("signed messages", StatusError, err, "correct the file, or let this account read it")}
	}
	here := signing.New(texts).IDs()
	for i := range workers {
		if fault := compareKeys(here, &workers[i]); fault != "" {
			return []Check{{"signed messages", StatusError, fault, signingHint}}
		}
	}
	if len(here) == 0 {
		return []Check{well("signed messages", "messages are not signed: redis.signing_keys is not set")}
	}
	return []Check{well("signed messages", "messages are signed with key %s; %d verified here; the workers agree", here[0], len(here))}
}

// compareKeys says what a worker with its keys and a process with those of this host do not
// accept from each other; empty when they agree.
func compareKeys(here []string, w *tasks.Worker) string {
	there := w.SigningKeys
	switch {
	case len(here) == 0 && len(there) == 0:
		return ""
	case len(here) == 0:
		return fmt.Sprintf("worker %s refuses the messages of processes like this one, which has no keys (it has %s)",
			w.Name, strings.Join(there, ", "))
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
