package verify

import (
	"context"
	"errors"
	"fmt"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/missing"
)

type completeArgs struct {
	Lists []string `json:"lists"`
}

func completeArgsOf(args any) (completeArgs, error) {
	var a completeArgs
	if err := handlers.DecodeArgs(args, &a); err != nil {
		return a, err
	}
	if len(a.Lists) == 0 {
		return a, handlers.Fail(handlers.CodeBadArgs, errors.New("lists is empty: name the checksum lists whose files must be in the transfer"))
	}
	return a, checkLists(a.Lists)
}

// Finalize compares the files of the transfer with the lists in the argument "lists", and
// fails when a listed file is not in the transfer. It is for lists outside the transfer,
// because no job of a file reads such a list to its end. After a run, it compares the files
// of all runs of the same sources. Its memory grows with the lists.
func Finalize(ctx context.Context, c *handlers.TransferJob) error {
	args, err := completeArgsOf(c.Args())
	if err != nil {
		return err
	}
	wanted := make(map[string]bool)
	var order []string
	for _, path := range args.Lists {
		l, err := readListed(c, path)
		if err != nil {
			return err
		}
		for _, file := range l.order {
			if !wanted[file] {
				wanted[file] = true
				order = append(order, file)
			}
		}
	}
	for f, err := range c.Files(ctx) {
		if err != nil {
			return err
		}
		delete(wanted, f.Path)
	}
	if len(wanted) == 0 {
		return nil
	}
	var gone missing.Files
	for _, file := range order {
		if wanted[file] {
			gone.Add(file)
		}
	}
	return handlers.Fail(CodeListedMissing, errors.New(gone.Message("are listed but not in the transfer", int64(len(order)))))
}

func completeInputs(args any) []string {
	a, _ := completeArgsOf(args) // wrong arguments are the check's
	return a.Lists
}

func readListed(c *handlers.TransferJob, path string) (*list, error) {
	f, err := c.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read from
	l, err := readList(path, f, func() {})
	if err == nil && len(l.entries) == 0 {
		err = errors.New("it lists no digest")
	}
	if err != nil {
		return nil, handlers.Fail(CodeBadList, fmt.Errorf("%s: %w", path, err))
	}
	return l, nil
}
