package tasks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/tasks"
)

func TestGroupsSpreadFilesEvenly(t *testing.T) {
	const files = 16_000
	sizes := map[string]int{}
	for no := range int64(files) {
		group := tasks.GroupOf("checksum", 12, no+1)
		if !strings.HasPrefix(group, "checksum:") {
			t.Fatalf("group %q does not name its handler", group)
		}
		sizes[group]++
	}
	var names []string
	for shard := range tasks.GroupShards {
		name := tasks.GroupName("checksum", shard)
		names = append(names, name)
		if n := sizes[name]; n < files/tasks.GroupShards/2 || n > files/tasks.GroupShards*2 {
			t.Errorf("group %s has %d of %d files", name, n, files)
		}
	}
	for group := range sizes {
		if !slices.Contains(names, group) {
			t.Errorf("group %q is no shard", group)
		}
	}
}

func TestGroupIsTheSameEachTime(t *testing.T) {
	// What is waiting in Redis must be found again by the next version.
	if got := tasks.GroupOf("checksum", 12, 7); got != "checksum:08" {
		t.Errorf("group %q", got)
	}
	if tasks.GroupOf("checksum", 12, 7) == tasks.GroupOf("resize", 12, 7) {
		t.Error("two handlers share a group")
	}
}
