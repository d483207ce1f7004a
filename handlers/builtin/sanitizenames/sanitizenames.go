// Package sanitizenames gives files names that every system takes.
package sanitizenames

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/balerhq/baler/handlers"
	copyfile "github.com/balerhq/baler/handlers/builtin/copy"
	"github.com/balerhq/baler/internal/address"
	"github.com/balerhq/baler/tasks"
)

type nameArgs struct {
	To      string `json:"to"`
	Replace bool   `json:"replace"`
}

// Register adds the handler sanitize-names to a registry; see New.
func Register(reg *handlers.Registry) error {
	return reg.Register("sanitize-names", New(), docs(),
		handlers.WithDescription("records names that every system takes; with a folder, copies files to them"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 1000, MaxBytes: 1 << 30}),
		handlers.WithOutputFolder("to"), handlers.WithArgsCheck(handlers.CheckWith(argsOf)),
		handlers.WithFactsOf(factsOf))
}

// New records a safe name of each file and its path of safe names, relative to the source,
// see Sanitize; it renames nothing. With the argument "to", it also copies the file to that
// path below the folder, as the handler copy does. Facts: original_name and original_path,
// safe_name, safe_path and name_changed; with a folder also those of copy.
func New() handlers.Handler {
	return handlers.PerFile(sanitize, handlers.Parallel(2), handlers.StallLimit(handlers.DefaultStallLimit))
}

func argsOf(args any) (nameArgs, error) {
	var a nameArgs
	if err := handlers.DecodeArgs(args, &a); err != nil {
		return a, err
	}
	if a.Replace && a.To == "" {
		return a, handlers.Fail(handlers.CodeBadArgs, errors.New("replace needs to: the folder to copy to"))
	}
	if err := address.CheckDestination(a.To); err != nil {
		return a, handlers.Fail(handlers.CodeBadArgs, err)
	}
	return a, nil
}

func factsOf(args any) []string {
	facts := []string{"original_name", "original_path", "safe_name", "safe_path", "name_changed"}
	if a, err := argsOf(args); err == nil && a.To != "" {
		facts = append(facts, "copied_to", "sha256", "size")
	}
	return facts
}

func sanitize(ctx context.Context, job *handlers.Job) error {
	args, err := argsOf(job.Args())
	if err != nil {
		return err
	}
	was := filepath.ToSlash(job.RelativePath())
	is := SanitizePath(was)
	err = errors.Join(
		job.SetFact("original_name", text(last(was))), job.SetFact("original_path", text(was)),
		job.SetFact("safe_name", last(is)), job.SetFact("safe_path", is), job.SetFact("name_changed", was != is))
	if err != nil || args.To == "" {
		return err
	}
	_, _, err = copyfile.To(ctx, job, handlers.JoinDestination(args.To, filepath.FromSlash(is)), args.Replace)
	return err
}

func last(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
