package exec

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/balerhq/baler/handlers/command"
	"github.com/balerhq/baler/tasks"
)

// codeRange is what exit codes from one number to another mean.
type codeRange struct {
	from, to int
	outcome  tasks.Outcome
}

// outcomes say what exit codes mean. Without an entry, 0 has succeeded and others failed.
type outcomes struct {
	ranges []codeRange
	other  tasks.Outcome
}

// maxExitCode fits Windows, too.
const maxExitCode = 1<<31 - 1

func parseOutcomes(m map[string]string) (outcomes, error) {
	var o outcomes
	for _, key := range slices.Sorted(maps.Keys(m)) {
		outcome := tasks.Outcome(m[key])
		if !outcome.Valid() || outcome == tasks.OutcomeCanceled {
			return o, fmt.Errorf(
				"outcomes: %s: %q is no outcome; use succeeded, warning, skipped, failed (final), error or timed_out (both retried)",
				key, m[key])
		}
		if key == "other" {
			o.other = outcome
			continue
		}
		first, last, isRange := strings.Cut(key, "-")
		from, err := strconv.Atoi(first)
		to := from
		if err == nil && isRange {
			to, err = strconv.Atoi(last)
		}
		if err != nil || from < 0 || to < from || to > maxExitCode {
			return o, fmt.Errorf("outcomes: %q is neither an exit code, such as 1, nor a range, such as 3-5, nor other", key)
		}
		for _, r := range o.ranges {
			if from <= r.to && r.from <= to {
				return o, fmt.Errorf("outcomes: %q has exit codes that another entry has", key)
			}
		}
		o.ranges = append(o.ranges, codeRange{from, to, outcome})
	}
	return o, nil
}

func (o outcomes) of(exitCode int) tasks.Outcome {
	for _, r := range o.ranges {
		if r.from <= exitCode && exitCode <= r.to {
			return r.outcome
		}
	}
	switch {
	case exitCode == 0:
		return tasks.OutcomeSucceeded
	case o.other != "":
		return o.other
	}
	return tasks.OutcomeFailed
}

// ending is what the end of a command means.
type ending struct {
	exitCode int
	outcome  tasks.Outcome
	code     string
	message  string
}

func (s *spec) endingOf(end *os.ProcessState) ending {
	message := fmt.Sprintf("%s: %v", s.Command[0], end)
	if name, number, ok := command.KilledBy(end); ok {
		if name == "XCPU" && s.limits.CPU > 0 {
			return ending{128 + number, tasks.OutcomeTimedOut, CodeCPULimit,
				fmt.Sprintf("%s: used more than %s of processor time", s.Command[0], s.limits.CPU)}
		}
		return ending{128 + number, tasks.OutcomeError, "signal-" + name, message}
	}
	n := end.ExitCode()
	e := ending{exitCode: n, outcome: s.outcomes.of(n), message: message}
	if e.outcome != tasks.OutcomeSucceeded {
		e.code = fmt.Sprintf("exit-%d", n)
	}
	return e
}
