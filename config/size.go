package config

import "github.com/balerhq/baler/tasks"

// Size is a number of bytes, written without or with a unit; see tasks.Size.
type Size = tasks.Size

// ParseSize reads a size.
func ParseSize(s string) (Size, error) { return tasks.ParseSize(s) }
