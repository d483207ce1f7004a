package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/visible"
	"github.com/balerhq/baler/tasks"
)

const (
	maxGroups = 500 // kinds of failures, and of warnings, that are told apart
	examples  = 3   // files that a group names
)

// outcomes says how the files of a collection have ended.
type outcomes struct {
	Steps              []stepLine
	Failures, Warnings groups
	First, Last        time.Time // when the first result began, and the last ended
}

// stepLine is a step with its results by outcome.
type stepLine struct {
	Name, Handler string
	tasks.Counts

	Parts []part
}

// part is one outcome's piece of a step's bar, in percent.
type part struct {
	Outcome  tasks.Outcome
	From, To float64
}

// Width is how wide the piece is.
func (p part) Width() float64 { return p.To - p.From }

// groups are results of the same kind. The zero value has none.
type groups struct {
	Lines  []*group
	Files  int64 // in all groups
	Others int64 // of them in groups beyond maxGroups
	byKey  map[groupKey]*group
}

type groupKey struct {
	step, code, message string
	outcome             tasks.Outcome
}

// group counts results with the same step, outcome, code and message.
type group struct {
	Step, Code, Message string
	Outcome             tasks.Outcome
	Files               int64
	Examples            []string
}

func (g *groups) add(l *tasks.ResultLine) {
	g.Files++
	k := groupKey{l.Step, l.Code, tasks.FailureMessage(l.Error, l.ExitCode), l.Outcome}
	line := g.byKey[k]
	if line == nil {
		if len(g.Lines) >= maxGroups {
			g.Others++
			return
		}
		if g.byKey == nil {
			g.byKey = make(map[groupKey]*group)
		}
		line = &group{Step: visible.Text(k.step), Code: visible.Text(k.code), Message: visible.Text(k.message), Outcome: k.outcome}
		g.byKey[k] = line
		g.Lines = append(g.Lines, line)
	}
	line.Files++
	if len(line.Examples) < examples {
		path := l.Path
		if l.PathBytes != nil {
			path = string(l.PathBytes)
		}
		line.Examples = append(line.Examples, visible.Text(path))
	}
}

func (g *groups) sort() {
	slices.SortStableFunc(g.Lines, func(a, b *group) int { return cmp.Compare(b.Files, a.Files) })
}

// More is how many files of the group are not among the examples.
func (g *group) More() int64 { return g.Files - int64(len(g.Examples)) }

// outcomesOf reads all results.
func outcomesOf(ctx context.Context, c *handlers.TransferJob) (outcomes, error) {
	var o outcomes
	index := make(map[string]int)
	line := func(step, handler string) *stepLine {
		i, ok := index[step]
		if !ok {
			i = len(o.Steps)
			index[step] = i
			o.Steps = append(o.Steps, stepLine{Name: visible.Text(step), Handler: handler})
		}
		return &o.Steps[i]
	}
	for _, s := range c.Transfer().Steps {
		line(s.Name, s.Handler)
	}
	for l, err := range c.Results(ctx) {
		if err != nil {
			return o, err
		}
		line(l.Step, "").Add(l.Outcome, 1)
		switch {
		case l.Outcome.IsFailure():
			o.Failures.add(&l)
		case l.Outcome == tasks.OutcomeWarning:
			o.Warnings.add(&l)
		}
		if !l.StartedAt.IsZero() && (o.First.IsZero() || l.StartedAt.Before(o.First)) {
			o.First = l.StartedAt
		}
		if l.EndedAt.After(o.Last) {
			o.Last = l.EndedAt
		}
	}
	o.Failures.sort()
	o.Warnings.sort()
	for i := range o.Steps {
		o.Steps[i].Parts = partsOf(o.Steps[i].Counts)
	}
	return o, nil
}

func partsOf(c tasks.Counts) (parts []part) {
	all, before := c.Total(), int64(0)
	for _, o := range tasks.Outcomes() {
		n := c.Get(o)
		if n > 0 {
			parts = append(parts, part{o, 100 * float64(before) / float64(all), 100 * float64(before+n) / float64(all)})
		}
		before += n
	}
	return parts
}
