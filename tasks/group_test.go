package tasks_test

import (
	"slices"
	"testing"

	"github.com/balerhq/baler/tasks"
)

func TestGroupsSpreadFilesEvenly(t *testing.T) {
	const files = 16_000
	sizes := map[string]int{}
	for no := range int64(files) {
		group := tasks.Group("checksum", 12, no+1)
		if tasks.GroupHandler(group) != "checksum" {
			t.Fatalf("group %q has handler %q", group, tasks.GroupHandler(group))
		}
		sizes[group]++
	}
	var names []string
	for shard := range tasks.Shards {
		name := tasks.GroupName("checksum", shard)
		names = append(names, name)
		if n := sizes[name]; n < files/tasks.Shards/2 || n > files/tasks.Shards*2 {
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
	if got := tasks.Group("checksum", 12, 7); got != tasks.Group("checksum", 12, 7) || tasks.GroupHandler(got) != "checksum" {
		t.Errorf("group %q", got)
	}
	if tasks.Group("checksum", 12, 7) == tasks.Group("resize", 12, 7) {
		t.Error("two handlers share a group")
	}
}

func TestGroupHandler(t *testing.T) {
	for group, want := range map[string]string{
		"checksum:03":   "checksum",
		"site:resize:9": "site:resize",
		"checksum":      "",
		":01":           "",
		"":              "",
	} {
		if got := tasks.GroupHandler(group); got != want {
			t.Errorf("%q has handler %q, want %q", group, got, want)
		}
	}
}
