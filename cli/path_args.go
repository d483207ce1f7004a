package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/balerhq/baler"
)

// checkPaths refuses an empty path. It would mean the current folder, but usually comes
// from a script with an unset variable.
func checkPaths(paths []string) error {
	if i := slices.Index(paths, ""); i >= 0 {
		return usagef("path %d is empty; use . for the current folder", i+1)
	}
	return nil
}

// checkFlags refuses a flag with an empty value. It would mean the default, such as no key
// or the embedded database, but usually comes from a script with an unset variable, too.
func checkFlags(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if v := f.Value.String(); err == nil && (v == "" || v == "[]" || v == `[""]`) {
			err = usagef("--%s is empty; give it a value, or leave it out", f.Name)
		}
	})
	return err
}

func missingOKFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "missing-ok", false, "register paths that do not exist; each gets a failed result")
}

// explainMissing adds a hint to the error for paths that do not exist.
func explainMissing(err error) error {
	missing, ok := errors.AsType[*baler.MissingError](err)
	if !ok {
		return err
	}
	what := "the path"
	if len(missing.Sources) > 1 {
		what = "the paths"
	}
	return fmt.Errorf("%w\nno file was registered: correct %s, or use --missing-ok to record a failed result instead", err, what)
}
