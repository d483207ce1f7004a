package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

// report writes the results or the progress of a transfer, step by step.
func (p *program) report(w io.Writer, t *tasks.Transfer, now time.Time) {
	s := tasks.Summarize(t, now)
	took := time.Duration(s.Seconds * float64(time.Second))
	fmt.Fprintf(w, "Transfer %s %s\n", number(t), colorOfState(t).paint(stateOf(t), p.colors(w)))
	if t.Finished < t.Files {
		fmt.Fprintf(w, "%s of ", count(t.Finished))
	}
	fmt.Fprintf(w, "%s, %s, in %s", files(t.Files), size(t.Bytes), span(took))
	if t.Finished > 0 && took > 0 {
		fmt.Fprintf(w, ", %s", perSecond(s.FilesPerSecond))
		if t.Finished == t.Files && t.Bytes > 0 {
			fmt.Fprintf(w, ", %s", bytesPerSecond(float64(t.Bytes)/took.Seconds()))
		}
	}
	fmt.Fprintln(w)
	if t.WaitingFor != "" {
		fmt.Fprintf(w, "Waiting for: %s\n", printable(t.WaitingFor))
	}
	if t.Files == 0 && !t.Selection.All() && t.State.Ended() {
		fmt.Fprintln(w, nothingSelected)
	}
	if t.Files > 0 {
		fmt.Fprintln(w)
		stepTable(t).within(tableWidth(w)).colored(p.colors(w)).write(w)
	}
	p.reportFinalizers(w, t)
}

// nothingSelected says that a transfer has no file, and why.
const nothingSelected = "No file is left: --include, --exclude, size or time leave out all of them."

// reportFinalizers shows the final steps and their errors.
func (p *program) reportFinalizers(w io.Writer, t *tasks.Transfer) {
	if len(t.Finalizers) == 0 {
		return
	}
	fmt.Fprintln(w)
	list := newTable(column{title: "FINAL STEP", shrink: end}, words("STATE"), numbers("ATTEMPTS"), column{title: "MESSAGE", shrink: wrap})
	for _, s := range t.Finalizers {
		message := firstLine(s.Error)
		if far := progressText(s.Progress); far != "" {
			message = strings.TrimSuffix(far+"; "+message, "; ")
		}
		list.row(s.Name, string(s.State), count(int64(s.Attempts)), message)
	}
	list.within(tableWidth(w)).write(w)
	if names := t.FailedFinalizers(); len(names) > 0 && t.State.Ended() {
		fmt.Fprintf(w, p.named("Failed: %s. Retry them without running any file: baler retry %s --finalizers\n"),
			strings.Join(names, ", "), number(t))
	}
}

// stepTable has a row for each step, and no empty columns.
func stepTable(t *tasks.Transfer) *table {
	totals := t.Totals()
	handlers := false
	waiting := !t.State.Ended()
	for i := range t.Steps {
		handlers = handlers || t.Steps[i].Name != t.Steps[i].Handler
	}
	columns := []column{{title: "STEP", shrink: end}}
	if handlers {
		columns = append(columns, column{title: "HANDLER", shrink: drop})
	}
	columns = append(columns, numbers("FILES"))
	if waiting {
		columns = append(columns, column{title: "WAITING", short: "LEFT", right: true})
	}
	var outcomes []tasks.Outcome
	for _, o := range tasks.Outcomes() {
		if o == tasks.OutcomeSucceeded || totals.Get(o) > 0 {
			outcomes = append(outcomes, o)
			title := strings.ToUpper(strings.ReplaceAll(string(o), "_", " "))
			columns = append(columns, alarming(title, shortOutcome(o), colorOf(o)))
		}
	}
	reused := slices.ContainsFunc(t.Steps, func(s tasks.StepProgress) bool { return s.Reused > 0 })
	if reused {
		columns = append(columns, numbers("REUSED"))
	}
	table := newTable(columns...)
	for i := range t.Steps {
		s := &t.Steps[i]
		cells := []string{s.Name}
		if handlers {
			cells = append(cells, s.Handler)
		}
		cells = append(cells, count(s.Selected))
		if waiting {
			cells = append(cells, count(max(0, s.Selected-s.Total())))
		}
		for _, o := range outcomes {
			cells = append(cells, count(s.Get(o)))
		}
		if reused {
			cells = append(cells, count(s.Reused))
		}
		table.row(cells...)
	}
	return table
}

// shortOutcome is the title of an outcome's column when the table has many.
func shortOutcome(o tasks.Outcome) string {
	switch o {
	case tasks.OutcomeSucceeded:
		return "OK"
	case tasks.OutcomeWarning:
		return "WARN"
	case tasks.OutcomeSkipped:
		return "SKIP"
	case tasks.OutcomeTimedOut:
		return "TIME"
	case tasks.OutcomeCanceled:
		return "CANCEL"
	default:
		return strings.ToUpper(string(o))
	}
}

// failuresShown is how many failures a report lists.
const failuresShown = 10

// failureOutcomes returns the outcomes that count as failures.
func failureOutcomes() []tasks.Outcome {
	return []tasks.Outcome{tasks.OutcomeFailed, tasks.OutcomeError, tasks.OutcomeTimedOut}
}

// reportFailures lists the first failures, and the command that lists all.
func (p *program) reportFailures(ctx context.Context, w io.Writer, b system, t *tasks.Transfer) error {
	all := failuresOf(t)
	if all == 0 {
		return nil
	}
	fmt.Fprintln(w)
	shown := int64(0)
	for line, err := range b.Results(ctx, *t, baler.ResultFilter{Outcomes: failureOutcomes()}) {
		if err != nil {
			return err
		}
		line.Error, line.Output = clipped(line.Error), clipped(line.Output)
		fmt.Fprintln(w, resultText(&line, p.colors(w)))
		if shown++; shown == failuresShown {
			break
		}
	}
	if all > shown {
		fmt.Fprintf(w, "… and %s more.", plural(all-shown, "failure"))
	} else {
		fmt.Fprintf(w, "%s.", plural(all, "failure"))
	}
	fmt.Fprintf(w, p.named(" All of them: baler results %s --outcome failed,error,timed_out\n"), number(t))
	return nil
}

// messageShown is how much of a message a report shows, in characters: about three lines.
const messageShown = 200

// clipped is the beginning of a long message; 'baler results' has all of it.
func clipped(message string) string {
	shown := []rune(message[:min(len(message), 4*messageShown+4)]) // of at most four bytes each
	if len(shown) <= messageShown {
		return message
	}
	return string(shown[:messageShown]) + "…"
}

// resultText is a result on one line for people.
func resultText(l *tasks.ResultLine, colors bool) string {
	path := l.Path
	if l.PathBytes != nil {
		path = string(l.PathBytes)
	}
	outcome := colorOf(l.Outcome).paint(fmt.Sprintf("%-9s", l.Outcome), colors)
	s := fmt.Sprintf("%s  %s  %s", outcome, printable(l.Step), quoted(path))
	if l.Code != "" {
		s += "  " + printable(l.Code)
	}
	message := firstLine(l.Error)
	if message == "" {
		message = firstLine(l.Output)
	}
	if message != "" {
		s += "  " + message
	}
	return s
}
