package store

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A result can be taken over until it is too old, as long as it is the one that was noted, and by
// files that were not tried before.
func TestReusable(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 2)
		batch := b.batch(t, tr.ID, "1-2")
		key := ledger.ReuseKey{File: [20]byte{1}, Fingerprint: [16]byte{2}}
		ran := tasks.Reused{Transfer: tr.UUID, File: 1, RanAt: results(batch, tasks.OutcomeSucceeded, 1)[0].EndedAt}
		b.record(t, &ledger.BatchCompletion{
			Batch: batch, Results: results(batch, tasks.OutcomeSucceeded, 1, 2), FollowUp: finishing(batch),
			Reusable: map[int64]ledger.Reusable{1: {ReuseKey: key, Handler: "noop", Ran: ran}},
		})
		other := b.transfer(t, 1)
		b.files(t, other.ID, 3)
		tried := b.batch(t, other.ID, "3")
		b.record(t, &ledger.BatchCompletion{
			Batch: tried, FailedAttempts: results(tried, tasks.OutcomeError, 3), FollowUp: &ledger.FollowUp{},
		})
		want := func(when string, since time.Time, want bool) {
			t.Helper()
			found, err := b.Reusable(t.Context(), ledger.ReuseQuery{
				Transfer: other.ID, Step: 1, Since: since,
				Keys: map[int64]ledger.ReuseKey{1: key, 2: {File: key.File}, 3: key},
			})
			testkit.Must(t, err)
			if r, ok := found[1]; ok != want || ok && (r.File != 1 || *r.Reused != ran) {
				t.Errorf("%s: %+v, want one: %v", when, found, want)
			}
			if len(found) > 1 {
				t.Errorf("%s: files with another key, or tried before, take it over: %+v", when, found)
			}
		}
		want("of any age", time.Time{}, true)
		want("just young enough", ran.RanAt, true)
		want("too old", ran.RanAt.Add(time.Microsecond), false)
		for _, change := range []struct{ when, to, back string }{
			{"another batch has recorded it since", "batch_id = batch_id + 100", "batch_id = batch_id - 100"},
			{"it is a failure now", "outcome = 'failed'", "outcome = 'succeeded'"},
		} {
			testkit.Must(t, b.db.Exec("UPDATE results SET "+change.to).Error)
			want(change.when, time.Time{}, false)
			testkit.Must(t, b.db.Exec("UPDATE results SET "+change.back).Error)
		}
		want("as it was", time.Time{}, true)
	})
}
