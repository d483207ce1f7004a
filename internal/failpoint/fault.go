package failpoint

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Variable is the environment variable with the fault.
const Variable = "BALER_TEST_FAULT"

// errFault is wrapped by all errors about faults.
var errFault = errors.New("a fault is written ACTION@POINT[:CALL[:FILE]]")

// action is the effect of a fault.
type action string

const (
	kill action = "kill"
	stop action = "stop"
	hold action = "wait"
)

// Fault selects an action at one call of one point. The zero value does nothing.
type Fault struct {
	action action
	at     Name
	call   int64  // counted from 1
	file   string // of the action hold
}

// parse parses the value of Variable.
func parse(s string) (Fault, error) {
	if s == "" {
		return Fault{}, nil
	}
	what, where, _ := strings.Cut(s, "@")
	parts := strings.SplitN(where, ":", 3)
	p := Fault{action: action(what), at: Name(parts[0]), call: 1}
	if !slices.Contains([]action{kill, stop, hold}, p.action) {
		return Fault{}, fmt.Errorf("%q: %w: the action is kill, stop or wait", s, errFault)
	}
	if !slices.Contains(Names(), p.at) {
		return Fault{}, fmt.Errorf("%q: %w: there is no such point", s, errFault)
	}
	if len(parts) > 1 {
		n, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil || n < 1 {
			return Fault{}, fmt.Errorf("%q: %w: calls count from 1", s, errFault)
		}
		p.call = n
	}
	if len(parts) > 2 {
		p.file = parts[2]
	}
	if (p.action == hold) != (p.file != "") {
		return Fault{}, fmt.Errorf("%q: %w: wait needs a file, and the other actions take none", s, errFault)
	}
	return p, nil
}
