package cli

import (
	"context"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/internal/bagit"
	"github.com/balerhq/baler/tasks"
)

func (p *program) bagCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bag",
		Short: "Verify bags",
		Long: `Bag verifies folders and files in the format of BagIt (RFC 8493), as the final step
bag writes them.`,
		Example: "  baler bag verify ~/bags/2026-01",
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.bagVerifyCommand())
	return cmd
}

func (p *program) bagVerifyCommand() *cobra.Command {
	var maxUnpacked tasks.Size
	cmd := &cobra.Command{
		Use:   "verify BAG...",
		Short: "Verify that bags are complete and unchanged",
		Long: `Verify reads each bag, a folder in the format of BagIt 0.93 to 1.0 (RFC 8493)
or such a folder as one zip, tar or tar.gz, which it does not unpack to disk,
and reports whether it is valid: every file that a manifest lists is there with
the digests listed, and every file of the payload is listed. It needs no server
and no database.

A bag with warnings is valid. The exit code is 3 if a bag is not valid.`,
		Example: `  baler bag verify ~/bags/2026-01
  baler bag verify ~/bags/2026-01.zip
  baler bag verify --json ~/bags/*`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.MinimumNArgs(1)(cmd, args); err != nil {
				return err
			}
			return checkPaths(args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			valid := true
			for _, path := range args {
				ok, err := p.verifyBag(cmd.Context(), path, int64(maxUnpacked))
				if err != nil {
					return err
				}
				valid = valid && ok
			}
			if !valid {
				return codeError(exitFailures)
			}
			return nil
		},
	}
	cmd.Flags().Var(sizeValue{&maxUnpacked}, "max-unpacked",
		"refuse a zip, tar or tar.gz whose files have more than `SIZE` in all (default 1TiB)")
	return cmd
}

// bagReport is the JSON object of a bag that was verified.
type bagReport struct {
	Type       string          `json:"type"` // always "bag"
	Bag        string          `json:"bag"`  // absolute path
	Valid      bool            `json:"valid"`
	Version    string          `json:"version"` // of BagIt; empty when it cannot be read
	Files      int64           `json:"files"`   // of the payload
	Bytes      int64           `json:"bytes"`
	Algorithms []string        `json:"algorithms"`
	Errors     []bagit.Problem `json:"errors"`
	Warnings   []bagit.Problem `json:"warnings"`
}

func (p *program) verifyBag(ctx context.Context, path string, maxUnpacked int64) (valid bool, err error) {
	bag, err := filepath.Abs(path)
	if err != nil {
		return false, err
	}
	r, err := bagit.Verify(ctx, bag, bagit.Options{Parallel: runtime.GOMAXPROCS(0), MaxUnpacked: maxUnpacked})
	if err != nil {
		return false, err
	}
	if p.json {
		return r.Valid(), p.object(bagReport{
			"bag", bag, r.Valid(), r.Version, r.Files, r.Bytes, append([]string{}, r.Algorithms...),
			append([]bagit.Problem{}, r.Errors...), append([]bagit.Problem{}, r.Warnings...),
		})
	}
	for _, problem := range r.Errors {
		p.printf("error: %s", printable(problem.String()))
	}
	for _, problem := range r.Warnings {
		p.printf("warning: %s", printable(problem.String()))
	}
	if !r.Valid() {
		p.printf("%s is not valid: %s.", quoted(path), plural(int64(len(r.Errors)), "error"))
		return false, nil
	}
	p.printf("%s is valid: BagIt %s, %s, %s.", quoted(path), r.Version, files(r.Files), size(r.Bytes))
	return true, nil
}
