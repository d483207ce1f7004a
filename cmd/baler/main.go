// Command baler registers files, processes them in batches, and shows their results. "baler
// help" and docs/cli.md list its commands.
package main

import (
	"github.com/balerhq/baler/cli"
	"github.com/balerhq/baler/handlers/builtin"
)

func main() { cli.Main(builtin.Registry()) }
