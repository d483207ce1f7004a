package doctor

import (
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/signing"
	"github.com/balerhq/baler/tasks"
)

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
		if fault := signing.Difference(here, &workers[i]); fault != "" {
			return []Check{{"signed messages", StatusError, fault, signing.Hint}}
		}
	}
	if len(here) == 0 {
		return []Check{well("signed messages", "messages are not signed: redis.signing_keys is not set")}
	}
	return []Check{well("signed messages", "messages are signed with key %s; %d verified here; the workers agree", here[0], len(here))}
}
