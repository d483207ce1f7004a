package virusscan

import (
	"context"
	"fmt"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// longestQuestion bounds how long a check beforehand waits for clamd.
const longestQuestion = 5 * time.Second

// missing asks clamd for its version, and says what is wrong when it does not answer.
func missing(ctx context.Context, args any) []handlers.ServiceProblem {
	a, err := newScanArgs(args)
	if err != nil {
		return nil // the check of the arguments reports the error
	}
	a.Timeout = min(a.Timeout, longestQuestion)
	c := &client{scanArgs: a, slots: make(chan struct{}, 1)}
	if _, err = c.ask(ctx, func() {}); err == nil {
		return nil
	}
	effect := fmt.Sprintf("Files end as errors (%s).", CodeClamd)
	if a.WithoutClamd == tasks.OutcomeWarning {
		effect = fmt.Sprintf("Files are not scanned, and end as warnings (%s).", CodeNotScanned)
	}
	return []handlers.ServiceProblem{{Problem: err.Error(), Effect: effect}}
}
