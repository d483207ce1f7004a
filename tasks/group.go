package tasks

import (
	"fmt"
	"hash/fnv"
)

// GroupShards is the number of asynq groups that a handler's files are spread over.
// asynq collects one set per group and tick, which limits the rate of a group; and
// listing groups costs time, so their number stays small.
const GroupShards = 16

// GroupOf returns the name of a file's asynq group: "handler:shard".
func GroupOf(handler string, transfer, file int64) string {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%d/%d", transfer, file) // a hash never fails to write
	return GroupName(handler, int(h.Sum32()%GroupShards))
}

// GroupName returns the name of one shard of a handler's groups.
func GroupName(handler string, shard int) string {
	return fmt.Sprintf("%s:%02d", handler, shard)
}
