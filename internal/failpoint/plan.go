package failpoint

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Variable is the environment variable that says what happens where.
const Variable = "BALER_TEST_FAULT"

// errPlan is wrapped by every complaint about a plan.
var errPlan = errors.New("a fault is written ACTION@POINT[:PASSING[:FILE]]")

// action is what happens to the process at a point.
type action string

const (
	kill action = "kill"
	stop action = "stop"
	hold action = "wait"
)

// Plan is one fault.
type Plan struct {
	action  action
	at      Name
	passing int64  // counted from 1
	file    string // of an action that waits
}

// parse reads a plan as the environment gives it; an empty one does nothing.
func parse(s string) (Plan, error) {
	if s == "" {
		return Plan{}, nil
	}
	what, where, _ := strings.Cut(s, "@")
	parts := strings.SplitN(where, ":", 3)
	p := Plan{action: action(what), at: Name(parts[0]), passing: 1}
	if !slices.Contains([]action{kill, stop, hold}, p.action) {
		return Plan{}, fmt.Errorf("%q: %w: the action is kill, stop or wait", s, errPlan)
	}
	if !slices.Contains(Names(), p.at) {
		return Plan{}, fmt.Errorf("%q: %w: there is no such point", s, errPlan)
	}
	if len(parts) > 1 {
		n, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil || n < 1 {
			return Plan{}, fmt.Errorf("%q: %w: passings count from 1", s, errPlan)
		}
		p.passing = n
	}
	if len(parts) > 2 {
		p.file = parts[2]
	}
	if (p.action == hold) != (p.file != "") {
		return Plan{}, fmt.Errorf("%q: %w: to wait, and nothing else, takes a file", s, errPlan)
	}
	return p, nil
}
