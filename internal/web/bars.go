package web

import (
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/tasks"
)

// bar is a horizontal bar of segments, with its content in words.
type bar struct {
	Segments []segment
	Text     string
}

// segment is a part of a bar, in percent of its width.
type segment struct {
	Tone     string
	X, Width string
}

// part is what a segment stands for.
type part struct {
	tone, word string
	n          int64
}

// thinnest is how wide a segment is at least, in percent: one among millions can be seen.
const thinnest = 0.6

// barOf draws parts of a whole.
func barOf(parts []part, whole int64) (b bar) {
	var words []string
	x := 0.0
	for _, p := range parts {
		if p.n <= 0 {
			continue
		}
		width := float64(p.n) / float64(max(whole, 1)) * 100
		b.Segments = append(b.Segments, segment{p.tone, percent(min(x, 100-thinnest)), percent(max(width, thinnest))})
		x += width
		words = append(words, humanize.Comma(p.n)+" "+p.word)
	}
	b.Text = strings.Join(words, ", ")
	return b
}

func percent(p float64) string { return strconv.FormatFloat(p, 'f', 2, 64) + "%" }

// outcomeParts are the results of a step, or of all.
func outcomeParts(c *tasks.Counts) []part {
	return []part{
		{"good", "succeeded", c.Succeeded},
		{"warn", "with warning", c.Warning},
		{"skipped", "skipped", c.Skipped},
		{"bad", "failed", c.Failures()},
		{"off", "canceled", c.Canceled},
	}
}

// progressOfFiles draws how many files of a transfer have ended, and how.
func progressOfFiles(t *tasks.Transfer) bar {
	tone := "good"
	if !t.State.Ended() {
		tone = "busy"
	}
	results := t.Totals()
	bad := min(results.Failures(), t.Finished)
	canceled := min(results.Canceled, t.Finished-bad)
	b := barOf([]part{{tone, "", t.Finished - bad - canceled}, {"bad", "", bad}, {"off", "", canceled}}, t.Files)
	b.Text = humanize.Comma(t.Finished) + " of " + quantity(t.Files, "file") + " finished"
	return b
}
