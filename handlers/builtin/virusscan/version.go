package virusscan

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/balerhq/baler/handlers"
)

// version is what clamd says of itself.
type version struct {
	engine     string    // ClamAV 1.4.3
	signatures string    // the number of the daily signatures; empty when it has none
	date       time.Time // of the signatures; zero when unknown
}

// failedFor is how long an error is taken to be the same: for the files that have waited for
// the answer.
const failedFor = time.Second

// version asks clamd, at most once in a while. Files go only to what answers as ClamAV does.
func (c *client) version(ctx context.Context, progress func()) (version, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	progress()
	if time.Now().Before(c.until) {
		return c.known, c.err
	}
	known, err := c.ask(ctx, progress)
	if ctx.Err() != nil {
		return version{}, ctx.Err()
	}
	c.known, c.err, c.until = known, err, time.Now().Add(versionFor)
	if err != nil {
		c.until = time.Now().Add(failedFor)
	}
	return c.known, c.err
}

func (c *client) ask(ctx context.Context, progress func()) (version, error) {
	answer, err := c.command(ctx, "VERSION", progress, nil)
	if err != nil {
		return version{}, err
	}
	v, ok := parseVersion(answer)
	if !ok {
		return v, handlers.RetryLater(CodeClamd, fmt.Errorf("%s is not clamd: it answered %q", c.Clamd, answer))
	}
	return v, nil
}

// parseVersion reads an answer to VERSION: "ClamAV 1.4.3/27700/Wed Jul  9 08:33:11 2025".
func parseVersion(answer string) (v version, ok bool) {
	parts := strings.SplitN(answer, "/", 3)
	v.engine = parts[0]
	if len(parts) == 3 {
		v.signatures = parts[1]
		// Zero when it is no date.
		v.date, _ = time.ParseInLocation(time.ANSIC, parts[2], time.Local) //nolint:gosmopolitan // clamd is on this host
	}
	return v, strings.HasPrefix(v.engine, "ClamAV ")
}

func (v *version) record(job *handlers.Job) error {
	err := job.SetFact("virus_engine", v.engine)
	if v.signatures != "" {
		err = errors.Join(err, job.SetFact("virus_signatures", v.signatures))
	}
	if !v.date.IsZero() {
		err = errors.Join(err, job.SetFact("virus_signatures_date", v.date.UTC().Format(time.RFC3339)))
	}
	return err
}

// warning says what is wrong with the signatures; empty for nothing.
func (v *version) warning(maxAge time.Duration, now time.Time) string {
	switch {
	case maxAge == 0:
		return ""
	case v.date.IsZero():
		return "the age of clamd's signatures is unknown; update them with freshclam, or set max_age: 0s"
	case now.Sub(v.date) > maxAge:
		return fmt.Sprintf("clamd's signatures are of %s; update them with freshclam, or raise max_age", v.date.Format(time.DateOnly))
	}
	return ""
}
