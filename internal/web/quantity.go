package web

import "github.com/dustin/go-humanize"

// quantity is a number with what it counts: "1 file", "1,200 files". many is the plural where
// an s does not make it.
func quantity(n int64, one string, many ...string) string {
	switch {
	case n == 1:
		return "1 " + one
	case len(many) > 0:
		return humanize.Comma(n) + " " + many[0]
	}
	return humanize.Comma(n) + " " + one + "s"
}
