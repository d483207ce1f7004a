package batcher

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// sums adds up sizes: file n has the size at n-1; a negative one is missing.
func sums(sizes []int64) func([]tasks.Range) ([]int64, error) {
	return func(ranges []tasks.Range) (bytes []int64, err error) {
		for _, r := range ranges {
			sum := int64(0)
			for _, size := range sizes[r.First-1 : r.Last] {
				if size < 0 {
					return bytes, nil
				}
				sum += size
			}
			bytes = append(bytes, sum)
		}
		return bytes, nil
	}
}

// A plan made from sums of sizes equals the plan made from single files.
func TestAnyUniformPlanIsThePlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.SampledFrom([]int64{0, 5, 5, 50}).Draw(t, "largest")
		sizes := rapid.SliceOfN(rapid.Int64Range(0, most), 1, 60).Draw(t, "sizes")
		whole := Remaining{Files: int64(len(sizes))}
		files := make([]tasks.File, len(sizes))
		for i, size := range sizes {
			files[i] = tasks.File{No: int64(i + 1), Size: size}
			whole.Bytes += size
		}
		policy := tasks.BatchPolicy{MaxItems: rapid.IntRange(0, 9).Draw(t, "max items"), MaxBytes: rapid.SampledFrom([]int64{0, 20, 100}).Draw(t, "max bytes")}
		r := Budget{
			cost: cost.Cost{PerFile: 1, PerByte: float64(rapid.IntRange(0, 4).Draw(t, "hundredths a byte")) / 100}, known: true,
			upper: float64(rapid.IntRange(0, 20).Draw(t, "upper")), parts: float64(rapid.IntRange(0, 6).Draw(t, "parts")),
		}
		limit, room := rapid.IntRange(1, 70).Draw(t, "limit"), rapid.IntRange(0, 8).Draw(t, "room")
		fresh := func() *Planner {
			return &Planner{
				Transfer: 7, Queue: "q", Room: room, Remaining: whole,
				Policy: func(int) tasks.BatchPolicy { return policy }, Budget: func(int) Budget { return r },
				Route: func(*tasks.File) int { return 1 },
			}
		}
		uniform := fresh()
		got, err := uniform.PlanUniform(0, int64(limit), sums(sizes))
		testkit.Must(t, err)
		want := fresh().Plan(files[:min(limit, len(files))])
		if len(got.Batches) > len(want.Batches) || !slices.EqualFunc(got.Batches, want.Batches[:len(got.Batches)], sameBatch) {
			t.Fatalf("uniform %+v\nplanned %+v", got.Batches, want.Batches)
		}
		last, sum := int64(0), int64(0)
		for _, b := range got.Batches {
			last, sum = b.Files[len(b.Files)-1].Last, sum+b.Bytes
		}
		if got.To != last || uniform.Remaining != (Remaining{Files: whole.Files - last, Bytes: whole.Bytes - sum}) {
			t.Errorf("up to %d, %+v left of %+v", got.To, uniform.Remaining, whole)
		}
	})
}

func sameBatch(a, b tasks.Batch) bool {
	return a.Transfer == b.Transfer && a.Step == b.Step && a.Attempt == b.Attempt && a.Queue == b.Queue &&
		a.Bytes == b.Bytes && slices.Equal(a.Files, b.Files)
}

func TestPlanUniform(t *testing.T) {
	small := slices.Repeat([]int64{10}, 25)
	big := slices.Clone(small)
	big[12] = 1000 // in the second batch
	missing := slices.Clone(small)
	missing[22] = -1 // in the third
	for _, c := range []struct {
		name  string
		sizes []int64
		most  int64
		want  string
	}{
		{"all fit", small, 100, "1-10 11-20 21-25"},
		{"up to a range that is too large", big, 600, "1-10"},
		{"files of mean size do not fit", small, 99, ""},
		{"up to a missing file", missing, 100, "1-10 11-20"},
	} {
		rest := Remaining{Files: 25}
		for _, size := range c.sizes {
			rest.Bytes += max(size, 0)
		}
		p := Planner{Remaining: rest, Policy: func(int) tasks.BatchPolicy { return tasks.BatchPolicy{MaxItems: 10, MaxBytes: c.most} }}
		got, err := p.PlanUniform(0, 100, sums(c.sizes))
		testkit.Must(t, err)
		var spans []string
		for _, b := range got.Batches {
			spans = append(spans, b.Files.String())
		}
		if text := strings.Join(spans, " "); text != c.want {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
	}
}
