package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"

	"github.com/balerhq/baler/tasks"
)

// digestPrefix names the algorithm of a digest.
const digestPrefix = "sha256:"

// lineWriter writes JSON lines, and their digest.
type lineWriter struct {
	w   io.Writer
	sum hash.Hash
}

func (l *lineWriter) line(v any) error {
	text, err := encode(v)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	_, _ = l.sum.Write(text) // a hash never fails
	_, err = l.w.Write(text)
	return err
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func digestOf(h hash.Hash) string { return digestPrefix + hex.EncodeToString(h.Sum(nil)) }

// writeLines writes a transfer as JSON lines.
func writeLines(w io.Writer, s *Source) (c RowTotals, err error) {
	l := lineWriter{w: w, sum: sha256.New()}
	if err := l.line(newTransferLine(&s.Transfer)); err != nil {
		return c, err
	}
	for f, err := range s.Files {
		if err == nil {
			err = l.line(newFileLine(&f))
		}
		if err != nil {
			return c, err
		}
		c.Files++
	}
	c.Results, err = eachResult(s, func(r *tasks.ResultLine) error {
		if r.Facts, err = Canonical(r.Facts); err != nil {
			return fmt.Errorf("the facts of file %d at step %s: %w", r.File, r.Step, err)
		}
		return l.line(resultLine{typeResult, s.Transfer.UUID, *r})
	})
	if err != nil {
		return c, err
	}
	c.Digest = digestOf(l.sum)
	return c, l.line(endLine{typeEnd, s.Transfer.UUID, c.Files, c.Results, s.Transfer.State, s.At.UTC(), c.Digest})
}
