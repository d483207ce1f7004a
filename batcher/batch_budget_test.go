package batcher

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/tasks"
)

// sizes plans files of the given sizes as the last ones of a sealed transfer, and returns
// the number of files in each batch.
func sizes(e cost.Estimate, policy tasks.BatchPolicy, slots int, all ...int64) []int {
	files := make([]tasks.File, len(all))
	rest := Remaining{Files: int64(len(all))}
	for i, size := range all {
		files[i] = tasks.File{No: int64(i) + 1, Size: size}
		rest.Bytes += size
	}
	whole := rest
	p := Planner{
		Route: func(*tasks.File) int { return 1 }, Policy: func(int) tasks.BatchPolicy { return policy }, Remaining: rest,
		Budget: func(int) Budget { return NewBudget(e, policy.Target, whole, slots) },
	}
	batches := p.Plan(files).Batches
	items := make([]int, len(batches))
	for i := range batches {
		items[i] = batches[i].Items()
	}
	return items
}

func known(perFile, perByte float64) cost.Estimate {
	return cost.Estimate{Cost: cost.Cost{PerFile: perFile, PerByte: perByte}, Known: true, Seconds: 1000}
}

func repeat(n int, size int64) []int64 { return slices.Repeat([]int64{size}, n) }

func TestEqualSharesWhileCostsAreUnknown(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name   string
		policy tasks.BatchPolicy
		slots  int
		files  []int64
		want   []int
	}{
		{"nine videos on three workers", tasks.BatchPolicy{MaxItems: 128}, 3, repeat(9, 0), []int{3, 3, 3}},
		{"of any one size", tasks.BatchPolicy{MaxItems: 128}, 3, repeat(9, 700*mib), []int{3, 3, 3}},
		{"the number of slots is unknown", tasks.BatchPolicy{MaxItems: 128}, 0, repeat(9, 0), []int{9}},
		{"more slots than files", tasks.BatchPolicy{MaxItems: 128}, 30, repeat(3, 0), []int{1, 1, 1}},
		{"no more than a batch holds", tasks.BatchPolicy{MaxItems: 2}, 2, repeat(6, 0), []int{2, 2, 2}},
		{"big files by bytes", tasks.BatchPolicy{MaxItems: 128}, 2, []int64{500 * mib, mib, mib, mib, 480 * mib, mib, mib}, []int{1, 6}},
		{"probes by number", tasks.BatchPolicy{MaxItems: 128, Target: time.Hour}, 1, repeat(40, 0), []int{16, 16, 8}},
		{"probes by bytes", tasks.BatchPolicy{MaxItems: 128, Target: time.Hour}, 1, repeat(3, 100*mib), []int{1, 1, 1}},
	} {
		if got := sizes(cost.Estimate{}, c.policy, c.slots, c.files...); !slices.Equal(got, c.want) {
			t.Errorf("%s: batches of %v, want %v", c.name, got, c.want)
		}
	}
}

func TestBatchesTakeAboutTheirTarget(t *testing.T) {
	policy := tasks.BatchPolicy{MaxItems: 1000, Target: 10 * time.Second}
	if got := sizes(known(0.1, 0), policy, 0, repeat(250, 5)...); !slices.Equal(got, []int{100, 100, 50}) {
		t.Errorf("batches of %v at a tenth of a second a file", got)
	}
	if got := sizes(known(0, 1), policy, 0, 4, 4, 5, 4, 30, 1, 1); !slices.Equal(got, []int{2, 2, 1, 2}) {
		t.Errorf("batches of %v at a second a byte", got)
	}
	// The costs of a few short files are not trusted yet.
	e := known(0.1, 0)
	e.Seconds = 0.1
	if got := sizes(e, policy, 0, repeat(40, 5)...); !slices.Equal(got, []int{16, 16, 8}) {
		t.Errorf("batches of %v after a tenth of a second", got)
	}
}

// Files that cost almost nothing form full batches, to the last file.
func TestCheapFilesFormFullBatches(t *testing.T) {
	for _, policy := range []tasks.BatchPolicy{{MaxItems: 100}, {MaxItems: 100, Target: time.Second}} {
		if got := sizes(known(1e-6, 0), policy, 8, repeat(250, 5)...); !slices.Equal(got, []int{100, 100, 50}) {
			t.Errorf("batches of %v under %+v", got, policy)
		}
	}
}

// Two slots, first many short files, then few long ones: no batch takes longer than its
// share of the remaining cost, and the last ones hold one file.
func TestTheTailIsSharedByCost(t *testing.T) {
	files := append(repeat(10_000, 1000), repeat(20, 500_000)...)
	got := sizes(known(0, 1e-6), tasks.BatchPolicy{MaxItems: 100_000}, 2, files...)
	if got[0] != 5000 || got[len(got)-1] != 1 || len(got) > 30 {
		t.Errorf("batches of %v", got)
	}
}

// With any estimate, a batch costs no more than its limit, except for a single file, and
// for half of its last file.
func TestAnyBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := cost.Estimate{
			Cost:  cost.Cost{PerFile: rapid.Float64Range(0, 10).Draw(t, "per file"), PerByte: rapid.Float64Range(0, 10).Draw(t, "per byte")},
			Known: rapid.Bool().Draw(t, "known"), Seconds: rapid.Float64Range(0, 100).Draw(t, "seconds"),
		}
		target := time.Duration(rapid.IntRange(0, 100).Draw(t, "target")) * time.Second
		rest := Remaining{Files: rapid.Int64Range(0, 1000).Draw(t, "files"), Bytes: rapid.Int64Range(0, 100_000).Draw(t, "bytes")}
		r := NewBudget(e, target, rest, rapid.IntRange(0, 16).Draw(t, "slots"))
		d := &draft{cost: r.cost, limit: r.limit(rest)}
		if !(d.limit > 0) {
			t.Fatalf("%+v lets a batch cost %g", r, d.limit)
		}
		items := r.Items(rest)
		for no := int64(1); no <= 50; no++ {
			f := tasks.File{No: no, Size: rapid.Int64Range(0, 100).Draw(t, "size")}
			if !d.fits(&f) {
				break
			}
			d.add(&f)
			if cost := r.cost.Predict(no, d.bytes) - r.cost.Predict(1, f.Size)/2; no > 1 && cost > d.limit*(1+1e-6) {
				t.Fatalf("%d files of %d bytes cost %g of %g", no, d.bytes, cost, d.limit)
			}
			if items > 0 && no > int64(items) {
				t.Fatalf("%d files, but the budget says at most %d", no, items)
			}
		}
	})
}
