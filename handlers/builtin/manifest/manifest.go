// Package manifest writes a list of digests for a whole transfer.
package manifest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/checksum"
	"github.com/balerhq/baler/internal/missing"
	"github.com/balerhq/baler/tasks"
)

// CodeDigestMissing says that files are missing from a manifest.
const CodeDigestMissing = "digest-missing"

type manifestArgs struct {
	To        string `json:"to"`
	Algorithm string `json:"algorithm"`
	Paths     string `json:"paths"`
}

// How a manifest names files.
const (
	pathsRelative = "relative" // to the source, or to the deepest folder that holds all sources
	pathsAbsolute = "absolute"
)

func newManifestArgs(args any) (manifestArgs, error) {
	m := manifestArgs{Algorithm: "sha256", Paths: pathsRelative}
	if err := handlers.DecodeArgs(args, &m); err != nil {
		return m, err
	}
	if m.To == "" {
		return m, handlers.Fail(handlers.CodeBadArgs, errors.New("to is missing: the path of the manifest"))
	}
	if !checksum.Known(m.Algorithm) {
		return m, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("unknown algorithm %q: one of md5, sha1, sha256, sha512", m.Algorithm))
	}
	if m.Paths != pathsRelative && m.Paths != pathsAbsolute {
		return m, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("unknown paths %q: one of relative, absolute", m.Paths))
	}
	return m, nil
}

// Register adds the finalizer manifest to a registry.
func Register(reg *handlers.Registry) error {
	return reg.RegisterFinalizer("manifest", Finalize, docs(),
		handlers.WithDescription("list of digests, as sha256sum and its siblings check it"),
		handlers.WithArgsCheck(handlers.CheckWith(newManifestArgs)), handlers.WithOutput(output))
}

func output(args any) handlers.Output {
	a, _ := newManifestArgs(args) // wrong arguments are the check's
	return handlers.Output{Path: a.To}
}

// Finalize writes a line for every file with a digest, as sha256sum and its siblings
// write and check it: from the folder of the source, or from the deepest folder that
// holds all sources. Files of a list of paths keep their absolute paths. Arguments:
// {"to": path, "algorithm": "sha256", "paths": "relative"}. The warning counts the
// files without the digest and names the first of them. After a run, it lists the files
// of all runs of the same sources.
func Finalize(ctx context.Context, c *handlers.TransferJob) error {
	args, err := newManifestArgs(c.Args())
	if err != nil {
		return err
	}
	base := ""
	if args.Paths == pathsRelative {
		base = handlers.CommonFolder(c.Transfer().Sources)
	}
	var without missing.Files
	err = c.Create(args.To, func(w io.Writer) error {
		for f, err := range c.Files(ctx) {
			if err != nil {
				return err
			}
			digest, ok := f.Digest(args.Algorithm)
			if !ok {
				without.Add(f.Path)
				continue
			}
			if _, err := io.WriteString(w, checksumLine(digest, name(base, f.Path))); err != nil {
				return handlers.RetryLater(handlers.CodeIO, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if without.Len() == 0 {
		return nil
	}
	all, _, err := c.Totals(ctx)
	if err != nil {
		return err
	}
	return handlers.Warn(CodeDigestMissing, without.Message("have no "+args.Algorithm+" and are not listed", all))
}

// name is what a manifest calls a file: its path relative to base.
func name(base, path string) string {
	rel, ok := strings.CutPrefix(path, base+tasks.Separator(path))
	switch {
	case base == "":
		return path
	case path == base: // the only source, a file
		rel = filepath.Base(path)
	case !ok:
		return path
	}
	if rel == "-" { // sha256sum would read its standard input
		return "./-"
	}
	return rel
}

// checksumLine is a line of GNU coreutils' sums: of in a name, backslashes and line
// ends are escaped, and the line then begins with a backslash.
func checksumLine(digest, path string) string {
	escaped := strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(path)
	if escaped != path {
		return `\` + digest + "  " + escaped + "\n"
	}
	return digest + "  " + path + "\n"
}
