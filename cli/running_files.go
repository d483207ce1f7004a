package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/balerhq/baler/tasks"
)

// progressText says how far work is; empty when nothing is known.
func progressText(p tasks.Progress) string {
	var all []string
	switch {
	case p.OfItems > 0:
		all = append(all, count(p.Items)+" of "+count(p.OfItems)+" "+printable(p.Unit))
	case p.Items > 0:
		all = append(all, count(p.Items)+" "+printable(p.Unit))
	}
	switch {
	case p.OfBytes > 0:
		all = append(all, size(p.Bytes)+" of "+size(p.OfBytes))
	case p.Bytes > 0:
		all = append(all, size(p.Bytes))
	}
	return strings.TrimSpace(strings.Join(all, ", "))
}

// runningText describes a file that takes long, without its path.
func runningText(f *tasks.RunningFile, now time.Time) string {
	text := fmt.Sprintf("%s for %s", printable(f.Step), span(max(0, now.Sub(f.StartedAt)).Truncate(time.Second)))
	if far := progressText(f.Progress); far != "" {
		text += ": " + far
	}
	return text
}

// runningSummary describes the file that takes longest, and says how many others there are.
func runningSummary(running []tasks.RunningFile, now time.Time) string {
	if len(running) == 0 {
		return ""
	}
	f := &running[0]
	text := quoted(bytesOr(f.PathBytes, f.Path)) + ", at step " + runningText(f, now)
	if more := len(running) - 1; more > 0 {
		text += "; and " + plural(int64(more), "more file")
	}
	return text
}

// reportRunning lists the files that take long.
func (p *program) reportRunning(w io.Writer, running []tasks.RunningFile) {
	if len(running) == 0 {
		return
	}
	list := newTable(column{title: "FILE AT WORK", shrink: start}, words("STEP"), words("WORKER"), numbers("FOR"),
		column{title: "SO FAR", shrink: wrap})
	for i := range running {
		f := &running[i]
		list.row(quoted(bytesOr(f.PathBytes, f.Path)), f.Step, f.Worker, span(max(0, p.now().Sub(f.StartedAt)).Truncate(time.Second)),
			progressText(f.Progress))
	}
	fmt.Fprintln(w)
	list.within(tableWidth(w)).write(w)
}
