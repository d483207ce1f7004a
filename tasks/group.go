package tasks

import (
	"fmt"
	"hash/fnv"
)

// GroupShards is how many asynq groups a handler's files are spread over. asynq
// collects one set a group a tick, so a group's ceiling is its maximum size a
// tick; and listing groups costs time, so their number stays small.
const GroupShards = 16

// GroupOf names the asynq group of one file: "handler:shard".
func GroupOf(handler string, transfer, file int64) string {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%d/%d", transfer, file) // a hash never fails to write
	return GroupName(handler, int(h.Sum32()%GroupShards))
}

// GroupName names one shard of a handler's groups.
func GroupName(handler string, shard int) string {
	return fmt.Sprintf("%s:%02d", handler, shard)
}
