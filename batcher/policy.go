package batcher

import "github.com/balerhq/baler/tasks"

// Policy bounds a batch by items, bytes and delay. See tasks.BatchPolicy.
type Policy = tasks.BatchPolicy

// DefaultPolicy is the policy below all others.
func DefaultPolicy() Policy { return tasks.DefaultBatchPolicy() }
