package tasks

import "errors"

// TransferChange is what a person changes of a transfer that runs. Nil fields stay.
type TransferChange struct {
	Weight    *int
	StopAfter *StopAfter
	Deadline  *Deadline
}

// Check reports why a change cannot be made.
func (c TransferChange) Check() error {
	switch {
	case c.Weight == nil && c.StopAfter == nil && c.Deadline == nil:
		return errors.New("there is nothing to change: give a weight, a deadline, or how many failures stop the transfer")
	case c.Weight != nil && *c.Weight == 0:
		return errors.New("a transfer has a weight from 1 to 100, not 0")
	case c.Weight != nil:
		return CheckWeight(*c.Weight)
	}
	return nil
}
