package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
)

// journalDelay is how long after its end a transfer may be missing in the journal without a
// warning: a process writes it within seconds, and tries again after half a minute.
const journalDelay = 5 * time.Minute

// diagnoseJournal says whether this process can write to the journal.
func (d *doctor) diagnoseJournal() []Check {
	dir := d.cfg.Journal.Dir
	if dir == "" {
		return nil
	}
	if err := tryWriting(dir); err != nil {
		return []Check{ill("journal", StatusError, err, "make the folder, writable to this account, or correct journal.dir")}
	}
	return []Check{well("journal", "%s is writable", dir)}
}

// diagnoseJournaled says whether the journal has the transfers that have ended.
func (d *doctor) diagnoseJournaled(ctx context.Context) []Check {
	if d.cfg.Journal.Dir == "" {
		return nil
	}
	n, err := d.store.CountUnjournaled(ctx)
	if err != nil {
		return []Check{ill("journaled", StatusError, err, "look at the database's log")}
	}
	oldest, err := d.store.Unjournaled(ctx, 0, 1)
	if err != nil {
		return []Check{ill("journaled", StatusError, err, "look at the database's log")}
	}
	if len(oldest) == 0 {
		return []Check{well("journaled", "the journal has every transfer that has ended")}
	}
	c := well("journaled", "transfers that have ended and that the journal lacks: %s", humanize.Comma(n))
	if since := d.now().Sub(oldest[0].EndedAt); since > journalDelay {
		c.Status = StatusWarning
		c.Detail += fmt.Sprintf("; %s ended %s ago", oldest[0].UUID, since.Round(time.Second))
		c.Hint = "run a worker or a server with journal.dir; if one runs, its log says why it cannot write"
	}
	return []Check{c}
}
