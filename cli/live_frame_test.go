package cli

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"
	"pgregory.net/rapid"

	"github.com/balerhq/baler/tasks"
)

// busyTransfer is a transfer in which everything happens, with hostile names.
func busyTransfer() liveTransfer {
	t := tasks.Transfer{
		ID: 12, Name: "scans\x1b]0;owned\a", State: tasks.StateRunning, Files: 2_000_000, Bytes: 5 << 40, Finished: 300_000,
		WaitingFor: "a worker with the handler ocr", SealedAt: time.Unix(1, 0),
		Finalizers: []tasks.FinalizeStep{{Name: "bag", State: tasks.FinalizeWaiting}},
	}
	for i, name := range []string{"checksum", "identify", "長い名前のステップ", "thumbnail-of-the-first-page"} {
		t.Steps = append(t.Steps, tasks.StepProgress{Number: i + 1, Name: name, Selected: 2_000_000, Counts: tasks.Counts{
			Succeeded: int64(1_000_000 / (i + 1)), Warning: 5, Failed: 1, TimedOut: int64(i), Canceled: int64(i),
		}})
	}
	v := liveTransfer{t: t, pace: &progressRate{}, at: time.Unix(1700000000, 0)}
	v.pace.see(read(&t, time.Unix(1700000000, 0)))
	for i := range 30 {
		v.activity.Running = append(v.activity.Running, tasks.RunningBatches{Worker: fmt.Sprintf("host-%d\x1b[2J", i), Step: "checksum", Batches: i + 1})
		v.activity.Failures = append(v.activity.Failures, tasks.RecentFailure{
			Path: "/data/" + strings.Repeat("日本/", 40) + "a\x1b.tif", Step: "identify", Outcome: tasks.OutcomeFailed, Code: "no-space",
			Message: "open …: no space left on device", EndedAt: time.Unix(1700000000, 0),
		})
	}
	return v
}

var sgr = regexp.MustCompile("\x1b\\[[0-9]*m")

func draw(v *liveTransfer, width, height int, colors bool) []string {
	c := canvas{width: width, height: height, colors: colors}
	v.draw(&c)
	return c.lines
}

// However large the terminal is, no line wraps, none is too many, and nothing but colors
// reaches it.
func TestFramesFitTheTerminal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		width, height := rapid.IntRange(narrowestLive, 200).Draw(r, "width"), rapid.IntRange(3, 60).Draw(r, "height")
		v := busyTransfer()
		v.t.Steps = v.t.Steps[:rapid.IntRange(0, 4).Draw(r, "steps")]
		v.activity.Running = v.activity.Running[:rapid.IntRange(0, 30).Draw(r, "workers")]
		v.activity.Failures = v.activity.Failures[:rapid.IntRange(0, 30).Draw(r, "failures")]
		v.note = rapid.SampledFrom([]string{"", "note: http://h does not answer\x1b[2J"}).Draw(r, "note")
		if rapid.Bool().Draw(r, "senseless") {
			for i := range v.t.Steps {
				v.t.Steps[i].Selected, v.t.Steps[i].Failed = math.MinInt64, math.MaxInt64
			}
		}
		colors := rapid.Bool().Draw(r, "colors")
		lines := draw(&v, width, height, colors)
		if len(lines) != height {
			r.Errorf("%d lines on a terminal of %d", len(lines), height)
		}
		for _, line := range lines {
			text := line
			if colors {
				text = sgr.ReplaceAllString(line, "")
			}
			if w := runewidth.StringWidth(text); w > width || strings.ContainsAny(text, "\x1b\a\n") {
				r.Errorf("%d columns of %d: %q", w, width, line)
			}
		}
	})
}

// A single failure among millions has a column.
func TestBarsShowEveryOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want  string
		width int
		s     tasks.StepProgress
	}{
		{"########..", 10, tasks.StepProgress{Selected: 10, Counts: tasks.Counts{Succeeded: 8}}},
		{"########F.", 10, tasks.StepProgress{Selected: 2_000_000, Counts: tasks.Counts{Succeeded: 1_900_000, Error: 1}}},
		{"F.", 2, tasks.StepProgress{Selected: 9, Counts: tasks.Counts{Failed: 1}}},
		{"##########", 10, tasks.StepProgress{Selected: 3, Counts: tasks.Counts{Succeeded: 3}}},
		{"          ", 10, tasks.StepProgress{}},
	} {
		var b strings.Builder
		for _, p := range bar(lane(&c.s), c.width, false) {
			b.WriteString(p.text)
		}
		equal(t, "bar", b.String(), c.want)
	}
}

func TestFrameOfATransfer(t *testing.T) {
	t.Parallel()
	v := busyTransfer()
	v.t.Name, v.activity.Running, v.activity.Failures = "scans", v.activity.Running[:1], v.activity.Failures[:1]
	v.activity.Running[0].Worker = "host-1"
	v.activity.Failures[0].Path = "/data/a.tif"
	text := strings.Join(draw(&v, 80, 24, false), "\n")
	contains(t, "frame", text, "Transfer 12  scans", "waiting", "Waiting for: a worker with the handler ocr", "checksum", "#", ".", "1,000,006/2,000,000, 1 failed",
		"# ok", "w warned", "F failed", "Then bag waiting", "1 worker on it\nhost-1  checksum (1 batch)", "identify  failed  /data/a.tif  no-space: open …", "q quits")
	if strings.Contains(text, "\x1b") {
		t.Error("it has colors")
	}
	contains(t, "with colors", strings.Join(draw(&v, 80, 24, true), "\n"), "\x1b[32m█", "\x1b[31m█", "\x1b[31mfailed\x1b[0m")
}
