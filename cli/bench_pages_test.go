package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/bench"
	"github.com/balerhq/baler/internal/testkit"
)

// pagesLine is a line of bench pages --json.
type pagesLine struct {
	bench.PageMeasurement
	Name string  `json:"name"`
	Got  float64 `json:"got"`
}

func TestBenchPages(t *testing.T) {
	t.Parallel()
	s := newBenchEnv(t)
	s.env = append(s.env, "BALER_REDIS_URL="+testkit.Redis(t), "BALER_DATABASE_URL="+testkit.MySQL(t), "BALER_ROOTS="+s.dir)
	all := benchLines[pagesLine](s, "pages", "--files", "501", "--requests", "3")
	var targets []string
	pages, api := 0, 0
	for _, l := range all {
		if l.Type == "target" {
			targets = append(targets, l.Name)
			continue
		}
		if l.Files != 750 || l.Requests != 3 || l.Busy || l.FirstMS <= 0 || l.MedianMS <= 0 || l.P99MS < l.MedianMS || l.MaxMS < l.P99MS || l.Bytes <= 0 {
			t.Errorf("%+v", l.PageMeasurement)
		}
		if l.API != strings.HasPrefix(l.Page, "/v1/") || (l.WithAssets > 20_000) == l.API { // htmx and the style sheet alone have as much, compressed
			t.Errorf("%+v", l.PageMeasurement)
		}
		if l.API {
			api++
		} else {
			pages++
		}
	}
	if pages != 13 || api != 6 {
		t.Errorf("%d pages, %d of the API", pages, api)
	}
	if want := []string{"first byte of a page, first request, slowest, ms", "heaviest page with its assets, kB"}; !slices.Equal(targets, want) {
		t.Errorf("targets %q", targets)
	}
	multipliedRows(s)

	// What the commands report agrees with the rows, too.
	sum := s.must(exitOK, "status", "pages", "--json").summary(t)
	if sum.State != "completed" || sum.Files != 750 || sum.Finished != 750 || len(sum.Steps) != 3 {
		t.Errorf("%+v", sum)
	}
	results := strings.Count(s.must(exitOK, "results", "pages", "--json").stdout, "\n")
	if want := int(sum.Results.Total()); results != want || results < 2*750 || results > 3*750 {
		t.Errorf("%d results, counted as %d", results, want)
	}
	if failed := float64(sum.Results.Failures()) / float64(results); failed < 0.04 || failed > 0.06 {
		t.Errorf("%.3f of the results are failures", failed)
	}
	if groups := strings.Count(s.must(exitOK, "failures", "pages", "--json").stdout, "\n"); groups < 5 {
		t.Errorf("only %d kinds of failures", groups)
	}
}

// multipliedRows checks that the counters of the transfer agree with its rows.
// Clocks of processes are compared with the database's, so times may differ a little.
func multipliedRows(s *testEnv) {
	s.t.Helper()
	db := testkit.Database(s.t, s.setting("BALER_DATABASE_URL"))
	const failure = "r.outcome IN ('failed', 'error', 'timed_out')"
	of := func(outcome string) string {
		return " OR s." + outcome + " <> (SELECT COUNT(*) FROM results r WHERE r.transfer_id = s.transfer_id AND r.step_no = s.no AND r.outcome = '" + outcome + "')"
	}
	for what, query := range map[string]string{
		"a number of files, or a size": `SELECT COUNT(*) FROM transfers t JOIN (SELECT transfer_id, COUNT(*) AS n, MAX(no) AS most,
			COUNT(DISTINCT path) AS paths, SUM(size) AS bytes FROM files GROUP BY transfer_id) f ON f.transfer_id = t.id
			WHERE t.files <> f.n OR t.files <> f.most OR t.files <> f.paths OR t.bytes <> f.bytes OR t.finished <> f.n OR t.dispatched <> f.n`,
		"a counter of a step": `SELECT COUNT(*) FROM steps s WHERE
			s.selected <> (SELECT COUNT(*) FROM results r WHERE r.transfer_id = s.transfer_id AND r.step_no = s.no)` +
			of("succeeded") + of("warning") + of("skipped") + of("failed") + of("error") + of("timed_out") + of("canceled"),
		"a failure without its result": `SELECT COUNT(*) FROM failures f LEFT JOIN results r USING (transfer_id, step_no, file_no)
			WHERE r.file_no IS NULL OR f.outcome <> r.outcome OR f.code <> r.code OR f.ended_us <> TIMESTAMPDIFF(MICROSECOND, '1970-01-01', r.ended_at)`,
		"a result that is missing among the failures": `SELECT COUNT(*) FROM results r LEFT JOIN failures f USING (transfer_id, step_no, file_no)
			WHERE f.file_no IS NULL AND ` + failure,
		"a result without its file": `SELECT COUNT(*) FROM results r LEFT JOIN files f ON f.transfer_id = r.transfer_id AND f.no = r.file_no WHERE f.no IS NULL`,
		"a result without its batch": `SELECT COUNT(*) FROM results r LEFT JOIN batch_history b USING (transfer_id, batch_id)
			WHERE b.batch_id IS NULL OR b.step_no <> r.step_no`,
		"a result out of its batch's time": `SELECT COUNT(*) FROM results r JOIN batch_history b USING (transfer_id, batch_id)
			WHERE r.ended_at > TIMESTAMPADD(MICROSECOND, b.ended_us + 1000000, '1970-01-01')
			OR r.started_at < TIMESTAMPADD(MICROSECOND, b.created_us - 1000000, '1970-01-01')`,
		"a result out of its transfer's time": `SELECT COUNT(*) FROM results r JOIN transfers t ON t.id = r.transfer_id
			WHERE r.started_at < t.created_at - INTERVAL 1 SECOND OR r.ended_at > t.ended_at + INTERVAL 1 SECOND`,
		"items of batches": `SELECT COUNT(*) FROM (SELECT b.batch_id FROM batch_history b LEFT JOIN results r USING (transfer_id, batch_id)
			GROUP BY b.transfer_id, b.batch_id, b.items, b.failed HAVING b.items <> COUNT(r.file_no) OR b.failed <> SUM(` + failure + `)) x`,
		"activity": `SELECT COUNT(*) FROM (SELECT transfer_id, SUM(results) AS results, SUM(failed) AS failed, SUM(finished) AS finished, SUM(bytes) AS bytes
			FROM activity GROUP BY transfer_id) a JOIN transfers t ON t.id = a.transfer_id
			WHERE a.results <> (SELECT COUNT(*) FROM results r WHERE r.transfer_id = t.id)
			OR a.failed <> (SELECT COUNT(*) FROM failures f WHERE f.transfer_id = t.id)
			OR a.finished <> t.finished OR a.bytes <> (SELECT SUM(b.bytes) FROM batch_history b WHERE b.transfer_id = t.id)`,
	} {
		var n int
		if err := db.QueryRowContext(s.t.Context(), query).Scan(&n); err != nil {
			s.t.Fatalf("%s: %v", what, err)
		}
		if n != 0 {
			s.t.Errorf("%s does not agree, %d times", what, n)
		}
	}
}

func TestBenchPagesWhileWorkersAreSaturated(t *testing.T) {
	t.Parallel()
	busy := 0
	for _, l := range benchLines[pagesLine](newBenchEnv(t), "pages", "--files", "1", "--requests", "100", "--busy") {
		switch {
		case l.Type == "target":
		case !l.Busy || l.Files != 250 || l.Requests != 100:
			t.Errorf("%+v", l.PageMeasurement)
		case l.BusyRate > 0: // results are committed some thousand at a time
			busy++
		}
	}
	if busy == 0 {
		t.Error("the workers had nothing to do")
	}
}

func TestBenchPagesInterrupted(t *testing.T) {
	t.Parallel()
	stdout := interruptedBench(newBenchEnv(t), "\n/transfers/ID\n", 1, "pages", "--files", "250", "--requests", "50")
	contains(t, "what was measured", stdout, "PAGE ", "\n/ ", "50 requests of each")
}
