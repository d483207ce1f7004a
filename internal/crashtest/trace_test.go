package crashtest

import (
	"errors"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/tracing/tracetest"
)

// A batch whose worker was killed goes on in the trace of its submission.
func TestTraceAfterAKilledWorker(t *testing.T) {
	t.Parallel()
	collector := tracetest.New(t)
	e := newEnv(t, testkit.Redis(t), testkit.MySQL(t))
	e.more = []string{"BALER_TRACE_ENDPOINT=" + collector.URL}
	first := e.worker("w1", "kill@handler-halfway:3")
	first.awaitStarted()
	producer := e.submit("", "bulk", e.recipe("traced", slow), writeNumbered(t, 60))
	testkit.Must(t, producer.wait())
	e.findTransfer()
	first.awaitKilled()
	second := e.worker("w2", "")
	e.awaitCompleted()
	second.finish()
	testkit.Eventually(t, patience, func() error {
		if len(collector.Named("submit")) != 1 {
			return errors.New("the submission's span has not come")
		}
		for _, s := range collector.Named("batch ") {
			if s.Attributes["baler.redelivered"] == "true" {
				return nil
			}
		}
		return errors.New("no span of a batch that was delivered again has come")
	})
	root := collector.Named("submit")[0]
	for _, s := range collector.Spans() {
		if s.Trace != root.Trace {
			t.Errorf("span %q is of trace %s, the submission of %s", s.Name, s.Trace, root.Trace)
		}
	}
}
