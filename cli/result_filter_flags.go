package cli

import (
	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

// filterFlags select results of a transfer.
type filterFlags struct {
	filter   baler.ResultFilter
	outcomes []string
	group    string // of failures; see chooseGroup
}

func (f *filterFlags) add(p *program, cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.filter.Step, "step", "", "only results of this `STEP`")
	flags.StringSliceVar(&f.outcomes, "outcome", nil, "only these `OUTCOMES`, separated by commas; may be repeated")
	flags.Int64Var(&f.filter.File, "file", 0, "only the file with this `NUMBER`")
	flags.StringVar(&f.filter.Code, "code", "", "only results with this `CODE`")
	flags.StringVar(&f.filter.Message, "message", "", "only failures with this `MESSAGE`, as 'baler failures' shows it")
	flags.StringVar(&f.group, "group", "", "only the `GROUP` of failures that 'baler failures' shows so")
	flags.Int64Var(&f.filter.Parent, "parent", 0, "only files that were extracted from the file with this `NUMBER`")
	completeBy(cmd, "outcome", completeList(outcomeNames()...))
	completeBy(cmd, "step", p.completeSteps())
	completeBy(cmd, "code", p.completeCodes())
}

// given reports whether the command line has one of the flags.
func (*filterFlags) given(cmd *cobra.Command) bool {
	for _, name := range []string{"step", "outcome", "file", "code", "message", "group", "parent"} {
		if cmd.Flags().Changed(name) {
			return true
		}
	}
	return false
}

func outcomeNames() (names []string) {
	for _, o := range tasks.Outcomes() {
		names = append(names, string(o))
	}
	return names
}

// resultFilter returns the filter of the flags.
func (f *filterFlags) resultFilter(cmd *cobra.Command) (baler.ResultFilter, error) {
	filter := f.filter
	if cmd.Flags().Changed("group") && !groupID.MatchString(f.group) {
		return filter, usagef("--group %q: give the 8 digits that 'baler failures' shows", f.group)
	}
	if f.group != "" && (filter.Step != "" || len(f.outcomes) > 0 || filter.Code != "" || filter.Message != "") {
		return filter, usagef("--group cannot be combined with --step, --outcome, --code or --message: it means one of each")
	}
	for _, s := range f.outcomes {
		o, err := tasks.ParseOutcome(s)
		if err != nil {
			return filter, usagef("%w%s", err, didYouMean(s, outcomeNames()...))
		}
		if filter.Message != "" && !o.IsFailure() {
			return filter, usagef("--message selects failures, and %s is not a failure: give failed, error or timed_out", o)
		}
		filter.Outcomes = append(filter.Outcomes, o)
	}
	if cmd.Flags().Changed("file") && filter.File < 1 {
		return filter, usagef("--file %d: files are numbered from 1", filter.File)
	}
	if cmd.Flags().Changed("parent") && filter.Parent < 1 {
		return filter, usagef("--parent %d: files are numbered from 1", filter.Parent)
	}
	return filter, nil
}
