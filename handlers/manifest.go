package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// CodeDigestMissing says that files are missing from a manifest.
const CodeDigestMissing = "no-digest"

type manifestArgs struct {
	To        string `json:"to"`
	Algorithm string `json:"algorithm"`
}

func newManifestArgs(args any) (manifestArgs, error) {
	m := manifestArgs{Algorithm: "sha256"}
	if err := decodeArgs(args, &m); err != nil {
		return m, err
	}
	if m.To == "" {
		return m, Fail(CodeBadArgs, errors.New("to is missing: the path of the manifest"))
	}
	if algorithms()[m.Algorithm] == nil {
		return m, Fail(CodeBadArgs, fmt.Errorf("unknown algorithm %q: one of md5, sha1, sha256, sha512", m.Algorithm))
	}
	return m, nil
}

// manifest writes a line for every file with a digest, as sha256sum and its
// siblings write and check it. Arguments: {"to": path, "algorithm": "sha256"}.
// Files without the digest are counted and the first of them named.
func manifest(ctx context.Context, c *TransferJob) error {
	args, err := newManifestArgs(c.Args())
	if err != nil {
		return err
	}
	var without missing
	err = c.Create(args.To, func(w io.Writer) error {
		for f, err := range c.Files(ctx) {
			if err != nil {
				return err
			}
			digest, ok := f.Digest(args.Algorithm)
			if !ok {
				without.add(f.Path)
				continue
			}
			if _, err := io.WriteString(w, checksumLine(digest, f.Path)); err != nil {
				return RetryLater(CodeIO, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if without.n > 0 {
		return Warn(CodeDigestMissing, without.count("have no "+args.Algorithm+" and are not listed", c.Transfer().Files))
	}
	return nil
}

// checksumLine is a line of GNU coreutils' sums: of a name with a backslash or
// an end of a line in it these are escaped, and the line begins with a backslash.
func checksumLine(digest, path string) string {
	escaped := strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(path)
	if escaped != path {
		return `\` + digest + "  " + escaped + "\n"
	}
	return digest + "  " + path + "\n"
}

// missing counts files and keeps the first of them.
type missing struct {
	n     int64
	first []string
}

// missingNamed is how many files a message names.
const missingNamed = 5

func (m *missing) add(path string) {
	m.n++
	if len(m.first) < missingNamed {
		m.first = append(m.first, strconv.Quote(path))
	}
}

// count says what is with them, of how many.
func (m *missing) count(what string, of int64) string {
	names := strings.Join(m.first, ", ")
	if m.n > int64(len(m.first)) {
		names += ", …"
	}
	return fmt.Sprintf("%d of %d files %s: %s", m.n, of, what, names)
}
