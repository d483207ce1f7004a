package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize/english"

	"github.com/dustin/go-humanize"
	"github.com/mattn/go-runewidth"

	"github.com/balerhq/baler/tasks"
)

// quoted returns a path unchanged, or in quotes with escapes when it is not text or has
// control characters.
func quoted(path string) string {
	if path != "" && isPrintable(path) {
		return path
	}
	return strconv.Quote(path)
}

// printable makes text from elsewhere safe for one line of a terminal.
func printable(s string) string {
	if isPrintable(s) {
		return s
	}
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

func isPrintable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) })
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return printable(strings.TrimSpace(line))
}

// tail is the end of s, at most width columns wide: the end of a path matters most.
func tail(s string, width int) string {
	if w := runewidth.StringWidth(s); w > width {
		return runewidth.TruncateLeft(s, w-width+1, "…")
	}
	return s
}

func count(n int64) string { return humanize.Comma(n) }

// files is a number of files in words.
func files(n int64) string { return plural(n, "file") }

func plural(n int64, thing string) string {
	return count(n) + " " + english.PluralWord(int(n), thing, "")
}

// size is a number of bytes for people.
func size(n int64) string { return humanize.IBytes(uint64(max(0, n))) }

// span formats a duration with suitable precision.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return d.Round(time.Second).String()
	case d < 48*time.Hour:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return fmt.Sprintf("%dd", int(d/(24*time.Hour)))
}

// number is the transfer's short number, which reports and the monitor show and commands
// take.
func number(t *tasks.Transfer) string { return strconv.FormatInt(t.ID, 10) }

// local is a time by the reader's clock.
func local(t time.Time) string {
	return t.Local().Format(time.DateTime) //nolint:gosmopolitan // for people, in their time zone
}

// age is how long ago something was.
func age(d time.Duration) string {
	if d < time.Hour {
		return max(0, d).Truncate(time.Second).String()
	}
	return span(d)
}

// perSecond is a rate for people.
func perSecond(rate float64) string {
	if rate < 10 {
		return fmt.Sprintf("%.1f files/s", rate)
	}
	return count(int64(min(rate, 1e18)+0.5)) + " files/s" // senseless counters give more
}

// bytesPerSecond is a rate of bytes for people.
func bytesPerSecond(rate float64) string { return size(int64(rate)) + "/s" }

// stateOf is a transfer's state in words.
func stateOf(t *tasks.Transfer) string {
	switch {
	case t.State == tasks.StateCompleted && (failuresOf(t) > 0 || len(t.FailedFinalizers()) > 0):
		return "completed with failures"
	case t.Trouble != "" && t.State.Ended():
		return string(t.State) + ", bad rows"
	case t.Trouble != "":
		return string(t.State) + ", stopped by bad rows"
	case t.Stopped != "" && t.State == tasks.StateRunning:
		return stoppedByFailures
	case t.Stopped != "":
		return string(t.State) + ", " + stoppedByFailures
	case paused(t) && t.State == tasks.StateRunning:
		return "paused"
	case paused(t):
		return string(t.State) + ", paused"
	case t.WaitingFor != "" && t.State == tasks.StateRunning:
		return "waiting" // no worker runs it
	}
	return string(t.State)
}

// stoppedByFailures is the state of a transfer that failures have paused.
const stoppedByFailures = "stopped by failures"

// stateInList is stateOf for a narrow column.
func stateInList(t *tasks.Transfer) string {
	return strings.TrimPrefix(stateOf(t), "completed ")
}

func failuresOf(t *tasks.Transfer) int64 {
	totals := t.Totals()
	return totals.Failures()
}

// percent is the done part of a whole. It is 100 only when everything is done.
func percent(done, all int64) string {
	if all <= 0 {
		return "–"
	}
	return fmt.Sprintf("%d%%", min(done, all)*100/all)
}

// rate is a number per second, as a whole number.
func rate(perSecond float64) string { return count(int64(perSecond + 0.5)) }

// ratio formats a ratio; it is empty for an unknown one.
func ratio(r float64) string {
	switch {
	case r == 0:
		return ""
	case r < 0.1:
		return fmt.Sprintf("%.3f", r)
	case r < 10:
		return fmt.Sprintf("%.2f", r)
	}
	return fmt.Sprintf("%.0f", r)
}
