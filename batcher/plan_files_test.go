package batcher

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/tasks"
)

// Every plan covers the first files, in order: each is in one batch of its step or has
// ended. It keeps every limit.
func TestAnyPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policies := make([]tasks.BatchPolicy, 4)
		for i := range policies {
			policies[i] = tasks.BatchPolicy{
				MaxItems: rapid.IntRange(0, 6).Draw(t, "max items"), MaxBytes: rapid.Int64Range(0, 40).Draw(t, "max bytes"),
			}
		}
		var files []tasks.File
		route := map[int64]int{}
		no := int64(0)
		for range rapid.IntRange(0, 60).Draw(t, "files") {
			no += rapid.Int64Range(1, 2).Draw(t, "gap")
			size := rapid.OneOf(rapid.Int64Range(0, 50), rapid.Just(int64(math.MaxInt64))).Draw(t, "size")
			files = append(files, tasks.File{No: no, Size: size})
			route[no] = rapid.IntRange(0, 3).Draw(t, "step")
		}
		p := Planner{
			Transfer: 7, Queue: "q", Room: rapid.IntRange(0, 8).Draw(t, "room"),
			Policy: func(step int) tasks.BatchPolicy { return policies[step] },
			Route:  func(f *tasks.File) int { return route[f.No] },
		}
		c := p.Plan(files)
		checkPlan(t, &p, files, c, policies)
	})
}

func checkPlan(t *rapid.T, p *Planner, files []tasks.File, c Plan, policies []tasks.BatchPolicy) {
	t.Helper()
	size := map[int64]int64{}
	for _, f := range files {
		size[f.No] = f.Size
	}
	var want, got []int64
	finished := int64(0)
	for i := range files {
		if files[i].No > c.To {
			break
		}
		if p.Route(&files[i]) == 0 {
			finished++
			continue
		}
		want = append(want, files[i].No)
	}
	last := map[int]int64{}
	for _, b := range c.Batches {
		if b.Transfer != 7 || b.Queue != "q" || b.Attempt != 1 || b.Items() == 0 {
			t.Errorf("batch %+v", b)
		}
		sum, whole := int64(0), true
		for no := range b.Files.All() {
			if p.Route(&tasks.File{No: no}) != b.Step || no <= last[b.Step] {
				t.Errorf("file %d in a batch of step %d behind %d", no, b.Step, last[b.Step])
			}
			last[b.Step] = no
			got = append(got, no)
			whole = whole && size[no] <= math.MaxInt64-sum
			sum += size[no]
		}
		policy := policies[b.Step]
		if policy.MaxItems > 0 && b.Items() > policy.MaxItems {
			t.Errorf("%d items under %+v", b.Items(), policy)
		}
		if policy.MaxBytes > 0 && b.Items() > 1 && (!whole || sum > policy.MaxBytes) {
			t.Errorf("%d bytes in %d items under %+v", sum, b.Items(), policy)
		}
		if whole && b.Bytes != sum {
			t.Errorf("batch of %d bytes says %d", sum, b.Bytes)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) || finished != c.Finished {
		t.Errorf("up to %d: batches hold %v, want %v; %d finished, want %d", c.To, got, want, c.Finished, finished)
	}
	if p.Room > 0 && len(c.Batches) > p.Room {
		t.Errorf("%d batches in room for %d", len(c.Batches), p.Room)
	}
	if all := len(files) == 0 || c.To == files[len(files)-1].No; !all && (p.Room == 0 || len(c.Batches) < p.Room) {
		t.Errorf("stopped at %d with %d batches in room for %d", c.To, len(c.Batches), p.Room)
	}
}
