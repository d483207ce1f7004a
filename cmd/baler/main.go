// Command baler registers files, processes them in batches, and shows what
// came of them. What it can do is listed by "baler help" and in docs/cli.md.
package main

import (
	"github.com/balerhq/baler/cli"
	"github.com/balerhq/baler/handlers/builtin"
)

func main() { cli.Main(builtin.Registry()) }
