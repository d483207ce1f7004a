package store

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

func TestSharesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, live := rapid.IntRange(0, 1000).Draw(t, "n"), rapid.IntRange(1, 100).Draw(t, "live")
		sum, least, most := 0, n, 0
		for rank := range live {
			s := share(n, rank, live)
			sum, least, most = sum+s, min(least, s), max(most, s)
		}
		if sum != n || most-least > 1 {
			t.Fatalf("%d shares of %d add up to %d, from %d to %d", live, n, sum, least, most)
		}
	})
}

// Workers come, go, die, rest, begin and end batches in any order, each with its own idea
// of its share: all of them together never run more than the limit, and when they have
// settled they may run exactly as much.
func TestSharesNeverExceedALimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 9).Draw(t, "limit")
		limits := []tasks.Limit{{Scope: tasks.ScopeAll, InFlight: n}}
		key := limits[0].Key()
		type member struct {
			row          workerRow // as the database has it
			cap, running int
		}
		crew := map[string]*member{}
		see := func(m *member) int {
			held := map[string]int{key: max(m.cap, m.running)}
			row := workerRow{Name: m.row.Name, DesiredState: m.row.DesiredState, LimitsInUse: encodeUse(held)}
			var live []workerRow
			for _, other := range crew {
				live = append(live, other.row)
			}
			p := allot(limits, &row, live)[0]
			m.row, m.cap = row, p.Max
			crew[m.row.Name] = m
			return p.Share
		}
		for range rapid.IntRange(1, 200).Draw(t, "events") {
			name := strconv.Itoa(rapid.IntRange(0, 5).Draw(t, "worker"))
			m := crew[name]
			switch {
			case m == nil:
				see(&member{row: workerRow{Name: name}})
			case rapid.IntRange(0, 9).Draw(t, "leaves") == 0:
				delete(crew, name)
			default:
				switch rapid.SampledFrom([]string{"begin", "begin", "end", "see", "rest"}).Draw(t, "does") {
				case "begin":
					if m.running < m.cap {
						m.running++
					}
				case "end":
					m.running = max(m.running-1, 0)
				case "see":
					see(m)
				case "rest":
					m.row.DesiredState = rapid.SampledFrom([]tasks.DesiredState{tasks.WorkerRunning, tasks.WorkerPaused}).Draw(t, "desired_state")
				}
			}
			running := 0
			for _, m := range crew {
				running += m.running
			}
			if running > n {
				t.Fatalf("%d batches run under a limit of %d", running, n)
			}
		}
		able, caps := 0, 0
		for range 3 {
			for _, m := range crew {
				m.running = 0
				see(m)
			}
		}
		for _, m := range crew {
			caps += m.cap
			if m.row.DesiredState == tasks.WorkerRunning {
				able++
			}
		}
		if able > 0 && caps != n {
			t.Fatalf("%d workers may run %d batches under a limit of %d", able, caps, n)
		}
	})
}

// A limit by name, with a bound for each host: workers that want no share leave it to those
// that do, and all of them together, and those of each host, never run more than the limit.
func TestNamedSharesNeverExceedALimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := tasks.Limit{
			Scope: tasks.ScopeName, Name: "gpu", InFlight: rapid.IntRange(1, 9).Draw(t, "limit"), PerHost: rapid.IntRange(1, 5).Draw(t, "per host"),
		}
		key, hostKey := limit.Key(), tasks.HostLimitKey(limit.Key())
		type member struct {
			row               workerRow
			most, here, inUse int
		}
		crew := map[string]*member{}
		see := func(m *member) {
			row := m.row
			row.LimitsInUse = encodeUse(map[string]int{key: max(m.most, m.inUse), hostKey: max(m.here, m.inUse)})
			var live []workerRow
			for _, other := range crew {
				live = append(live, other.row)
			}
			shares := allot([]tasks.Limit{limit}, &row, live)
			m.row, m.most, m.here = row, shares[0].Max, shares[1].Max
			crew[row.Name] = m
		}
		sums := func(of func(*member) int) (all int, hosts map[string]int) {
			hosts = make(map[string]int)
			for _, m := range crew {
				all += of(m)
				hosts[m.row.Host] += of(m)
			}
			return all, hosts
		}
		for range rapid.IntRange(1, 200).Draw(t, "events") {
			n := rapid.IntRange(0, 5).Draw(t, "worker")
			m := crew[strconv.Itoa(n)]
			if m == nil {
				see(&member{row: workerRow{Name: strconv.Itoa(n), Host: strconv.Itoa(n % 2)}})
				continue
			}
			switch rapid.SampledFrom([]string{"begin", "begin", "end", "see", "want", "tire", "die"}).Draw(t, "does") {
			case "begin":
				if m.inUse < min(m.most, m.here) {
					m.inUse++
				}
			case "end":
				m.inUse = max(m.inUse-1, 0)
			case "see":
				see(m)
			case "want":
				m.row.LimitsWanted = key
			case "tire":
				m.row.LimitsWanted = ""
			case "die":
				delete(crew, m.row.Name)
			}
			all, hosts := sums(func(m *member) int { return m.inUse })
			for host, n := range hosts {
				if n > limit.PerHost {
					t.Fatalf("%d batches run on host %s under a limit of %d", n, host, limit.PerHost)
				}
			}
			if all > limit.InFlight {
				t.Fatalf("%d batches run under a limit of %d", all, limit.InFlight)
			}
		}
		for range 3 {
			for _, m := range crew {
				m.inUse = 0
				see(m)
			}
		}
		wanting, _ := sums(func(m *member) int { return len(m.row.LimitsWanted) })
		if all, _ := sums(func(m *member) int { return m.most }); wanting > 0 && all != limit.InFlight || wanting == 0 && all > 0 {
			t.Fatalf("workers may run %d batches under a limit of %d", all, limit.InFlight)
		}
	})
}

// The configuration sets a limit once; what a person changes then stays until the
// configuration changes.
func TestConfigureLimits(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		configure := func(bounds string, want int) {
			t.Helper()
			l, err := tasks.ParseLimitBounds(bounds)
			if err != nil {
				t.Fatal(err)
			}
			l.Scope, l.Name = tasks.ScopeName, "gpu"
			if changed, err := b.ConfigureLimits(t.Context(), []tasks.Limit{l}); err != nil || len(changed) != want {
				t.Errorf("%s changes %+v, %v", bounds, changed, err)
			}
		}
		expect := func(want ...tasks.Limit) {
			t.Helper()
			if all, err := b.Limits(t.Context()); err != nil || !slices.Equal(all, want) {
				t.Errorf("the limits are %+v, %v, want %+v", all, err, want)
			}
		}
		set := func(n int) {
			t.Helper()
			if _, err := b.SetLimit(t.Context(), tasks.ScopeName, "gpu", tasks.LimitChange{InFlight: &n}); err != nil {
				t.Fatal(err)
			}
		}
		gpu := tasks.Limit{Scope: tasks.ScopeName, Name: "gpu", InFlight: 2, PerHost: 1}
		configure("2, 1/host", 1)
		configure("2,1/host", 0)
		expect(gpu)
		set(5)
		configure("2,1/host", 0)
		gpu.InFlight = 5
		expect(gpu)
		configure("3", 1)
		expect(tasks.Limit{Scope: tasks.ScopeName, Name: "gpu", InFlight: 3})
		set(0)
		expect()
		configure("3", 0)
		expect()
		configure("4", 1)
		expect(tasks.Limit{Scope: tasks.ScopeName, Name: "gpu", InFlight: 4})
	})
}

// The weight of a queue is kept beside its limits, and workers read it with their heartbeat.
func TestWeightOfAQueue(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		set := func(c tasks.LimitChange) tasks.Limit {
			t.Helper()
			l, err := b.SetLimit(t.Context(), tasks.ScopeQueue, "low", c)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		read := func() ledger.WorkerDirectives {
			t.Helper()
			o, err := b.HeartbeatWorker(t.Context(), tasks.Worker{Name: "w", Slots: 4, StartedAt: b.clock.Now()}, "i")
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		seven, none := 7, 0
		set(tasks.LimitChange{Weight: &seven})
		if o := read(); o.QueueWeights["low"] != 7 || len(o.Shares) != 0 {
			t.Errorf("a worker reads %+v", o)
		}
		if l := set(tasks.LimitChange{InFlight: &seven}); l.Weight != 7 {
			t.Errorf("a limit changes the weight: %+v", l)
		}
		set(tasks.LimitChange{InFlight: &none})
		if o := read(); o.QueueWeights["low"] != 7 {
			t.Errorf("without the limit a worker reads %+v", o)
		}
		set(tasks.LimitChange{Weight: &none})
		if o := read(); len(o.QueueWeights) != 0 || b.count(t, "limits", "1 = 1") != 0 {
			t.Errorf("in the end a worker reads %+v", o)
		}
	})
}

func TestLimits(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		see := func(name string, held int) []ledger.LimitShare {
			t.Helper()
			o, err := b.HeartbeatWorker(t.Context(), tasks.Worker{Name: name, Slots: 4, StartedAt: b.clock.Now(), LimitsInUse: map[string]int{tasks.LimitKey(tasks.ScopeAll, ""): held}}, "i")
			if err != nil {
				t.Fatal(err)
			}
			return o.Shares
		}
		set := func(scope tasks.Scope, name string, inFlight int, rate float64) {
			t.Helper()
			if _, err := b.SetLimit(t.Context(), scope, name, tasks.LimitChange{InFlight: &inFlight, FilesPerSecond: &rate}); err != nil {
				t.Fatal(err)
			}
		}
		if parts := see("a", 0); len(parts) > 0 {
			t.Errorf("shares without a limit: %+v", parts)
		}
		set(tasks.ScopeAll, "", 3, 10)
		if p := see("a", 0); len(p) != 1 || p[0].Share != 3 || p[0].Max != 3 || p[0].Rate != 10 {
			t.Errorf("alone it gets %+v", p)
		}
		if p := see("b", 0); p[0].Share != 2 || p[0].Max != 0 || p[0].Rate != 0 || p[0].RateShare != 5 {
			t.Errorf("while the first holds all, a second one gets %+v", p)
		}
		if p := see("a", 3); p[0].Share != 1 || p[0].Max != 1 {
			t.Errorf("the first is left %+v", p)
		}
		see("a", 1)
		if p := see("b", 0); p[0].Max != 2 {
			t.Errorf("when the first has let go, the second gets %+v", p)
		}
		b.clock.Advance(workerTTL + time.Second)
		if p := see("b", 2); p[0].Max != 3 {
			t.Errorf("when the first is dead, the second gets %+v", p)
		}
		five := 5
		if c, err := b.SetLimit(t.Context(), tasks.ScopeAll, "", tasks.LimitChange{InFlight: &five}); err != nil || c.InFlight != 5 || c.FilesPerSecond != 10 {
			t.Errorf("changed to %+v, %v", c, err)
		}
		set(tasks.ScopeQueue, "low", 1, 0)
		set(tasks.ScopeAll, "", 0, 0)
		if all, err := b.Limits(t.Context()); err != nil || len(all) != 1 || all[0] != (tasks.Limit{Scope: tasks.ScopeQueue, Name: "low", InFlight: 1}) {
			t.Errorf("what is left is %+v, %v", all, err)
		}
	})
}

// The limit of a transfer that has ended is deleted when another limit is set.
func TestLimitsOfEndedTransfersAreDeleted(t *testing.T) {
	eachDispatchEnv(t, func(t *testing.T, s *dispatchEnv) {
		id := s.submit(t, tasks.ViaBulk, 1)
		tr, err := s.TransferByID(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		one := 1
		count := func() int {
			t.Helper()
			if _, err := s.SetLimit(t.Context(), tasks.ScopeQueue, "q", tasks.LimitChange{InFlight: &one}); err != nil {
				t.Fatal(err)
			}
			all, err := s.Limits(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		if _, err := s.SetLimit(t.Context(), tasks.ScopeTransfer, tr.UUID, tasks.LimitChange{InFlight: &one}); err != nil {
			t.Fatal(err)
		}
		if n := count(); n != 2 {
			t.Errorf("%d limits while the transfer lives", n)
		}
		if _, err := s.Cancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		tr, err = s.TransferByID(t.Context(), id)
		if n := count(); err != nil || !tr.State.Ended() && n != 2 || tr.State.Ended() && n != 1 {
			t.Errorf("%d limits of a transfer that is %s, %v", n, tr.State, err)
		}
	})
}
