package cli

import (
	"bufio"
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

// rejectedLine is a rejected line in JSON.
type rejectedLine struct {
	File    int64  `json:"file"`
	Path    string `json:"path"`
	Line    int64  `json:"line"`
	Reason  string `json:"reason"`
	Content string `json:"content"`
	Bytes   []byte `json:"content_bytes,omitempty"` // base64; only when the content is not valid UTF-8
	Size    int64  `json:"size"`                    // of the whole line; content may be its beginning only
}

// listRejectedLines lists the lines that a load rejected.
func (p *program) listRejectedLines(ctx context.Context, b *baler.Baler, id string) (err error) {
	t, err := direct{b}.FindTransfer(ctx, id)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(p.stdout)
	defer func() { err = errors.Join(err, w.Flush()) }()
	to := &program{stdout: &output{w: w}}
	for r, err := range b.RejectedLines(ctx, t) {
		if err != nil {
			return err
		}
		if p.json {
			err = to.object(newRejectedLine(&r))
		} else {
			to.printf("%s:%d  %s  %s", quoted(r.Path), r.Line, printable(r.Reason), beginning(string(r.Content)))
			err = to.stdout.err
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func newRejectedLine(r *tasks.FileRejectedLine) rejectedLine {
	l := rejectedLine{
		File: r.Key.File, Path: strings.ToValidUTF8(r.Path, "\uFFFD"), Line: r.Line, Reason: r.Reason,
		Content: strings.ToValidUTF8(string(r.Content), "\uFFFD"), Size: r.Size,
	}
	if !utf8.Valid(r.Content) {
		l.Bytes = r.Content
	}
	return l
}

// beginning shortens a line for a terminal.
func beginning(s string) string {
	const most = 60
	if s = printable(s); utf8.RuneCountInString(s) > most {
		return string([]rune(s)[:most]) + "…"
	}
	return s
}
