package cli

import (
	"context"
	"fmt"
	"regexp"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

// mostGroups is how many groups of failures are looked through for one: what a server lists.
const mostGroups = 1000

var groupID = regexp.MustCompile(`^[0-9a-f]{8}$`)

// chooseGroup lets a filter select the group of failures that --group names; group is empty
// without the flag.
func chooseGroup(ctx context.Context, b system, t *tasks.Transfer, group string, f *baler.ResultFilter) error {
	if group == "" {
		return nil
	}
	groups, err := b.Failures(ctx, *t, baler.ResultFilter{}, mostGroups)
	if err != nil {
		return err
	}
	for i := range groups {
		g := &groups[i]
		if g.ID() != group {
			continue
		}
		f.Outcomes, f.Code, f.Message, f.Exactly = []tasks.Outcome{g.Outcome}, g.Code, g.Message, true
		for _, s := range t.Steps {
			if s.Number == g.Step {
				f.Step = s.Name
			}
		}
		return nil
	}
	return fmt.Errorf("transfer %s has no group of failures %s: 'baler failures %s' lists them; a group is gone when its files run again",
		number(t), group, number(t))
}
