package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/client"
	"github.com/balerhq/baler/internal/suggest"
	"github.com/balerhq/baler/tasks"
)

// didYouMean is suggest.DidYouMean.
func didYouMean(word string, known ...string) string { return suggest.DidYouMean(word, known...) }

// unknownFlag adds the flag that was meant to the error about one that a command does not have.
func unknownFlag(cmd *cobra.Command, err error) error {
	missing, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	hint := didYouMean(missing.GetSpecifiedName(), names...)
	if hint == "" {
		return err
	}
	return fmt.Errorf("%w%s", err, strings.Replace(hint, `"`, `"--`, 1))
}

// suggestedNames is how many of the newest transfers a wrong name is compared with.
const suggestedNames = 200

// suggestTransfer is the name or id that was meant by one that no transfer has. A wrong number
// has no neighbors that it could stand for.
func suggestTransfer(ctx context.Context, ref string, newest func(context.Context, int) ([]tasks.Transfer, error)) string {
	if strings.Trim(ref, "0123456789") == "" {
		return ""
	}
	found, err := newest(ctx, suggestedNames)
	if err != nil {
		return "" // the error about the name says enough
	}
	known := []string{baler.LatestTransfer}
	for i := range found {
		known = append(known, found[i].Name, found[i].UUID)
	}
	return didYouMean(ref, known...)
}

func isNotFound(err error) bool {
	answer, answered := errors.AsType[*client.Error](err)
	return errors.Is(err, tasks.ErrTransferNotFound) || answered && answer.Status == http.StatusNotFound && answer.Title != ""
}
