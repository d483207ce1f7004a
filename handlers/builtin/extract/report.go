package extract

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/invoke"
)

// report says what was not extracted, a line for each member.
type report struct {
	to    io.Writer
	codes map[string]int64
}

func newReport(to io.Writer) report { return report{to: to, codes: make(map[string]int64)} }

func (r *report) refused(name string, why *refusal) {
	r.codes[why.code]++
	fmt.Fprintf(r.to, "%s: %q: %v\n", why.code, name, why.err) // an ended job takes no more output
}

func (r *report) remark(text string) { fmt.Fprintln(r.to, text) }

func (r *report) total() (n int64) {
	for _, of := range r.codes {
		n += of
	}
	return n
}

// unreadable tells an error of one member from one of the archive: members of a zip file are
// independent of each other.
func (w *writer) unreadable(err error) error {
	var over *exceeded
	if w.in.err != nil || errors.As(err, &over) || w.ctx.Err() != nil || errors.Is(err, errInVolumes) {
		return err
	}
	switch {
	case errors.Is(err, errUnsupported):
		return &refusal{CodeUnsupported, err}
	case errors.Is(err, errMemberEncrypted):
		return &refusal{CodeEncrypted, err}
	case w.independent:
		return &refusal{CodeMalformed, err}
	}
	return err
}

// errMemberEncrypted leaves the other members readable.
var errMemberEncrypted = errors.New("the member is encrypted")

// verdict ends the job: err is what ended the extraction early.
func (w *writer) verdict(f *format, err error) error {
	refused := w.report.total()
	facts := errors.Join(w.job.SetFact("archive_format", f.name), w.job.SetFact("members", w.members),
		w.job.SetFact("members_refused", refused), w.job.SetFact("unpacked_bytes", w.bytes))
	if facts != nil {
		return facts
	}
	if len(w.folders) > 0 {
		w.report.remark(fmt.Sprintf("%d empty folders are not files, and are not extracted", len(w.folders)))
	}
	if err != nil {
		return w.failure(err)
	}
	switch {
	case refused == 0 && w.in.trailing != "":
		return handlers.Warn(CodeTrailingData, w.in.trailing+"; what stands before it is extracted")
	case refused == 0:
		return nil
	case w.in.trailing != "":
		w.report.remark(w.in.trailing)
	}
	code := CodeMembersRefused
	if len(w.report.codes) == 1 {
		for only := range w.report.codes {
			code = only
		}
	}
	text := fmt.Sprintf("%d members are extracted, %d are not: %s", w.members, refused, w.report.summary())
	if w.report.codes[CodeMalformed] > 0 {
		return handlers.Fail(CodeMalformed, errors.New(text))
	}
	return handlers.Warn(code, text)
}

// summary counts the codes, the most frequent first.
func (r *report) summary() string {
	codes := make([]string, 0, len(r.codes))
	for code := range r.codes {
		codes = append(codes, code)
	}
	slices.SortFunc(codes, func(a, b string) int { return cmp.Or(cmp.Compare(r.codes[b], r.codes[a]), cmp.Compare(a, b)) })
	for i, code := range codes {
		codes[i] = fmt.Sprintf("%d %s", r.codes[code], code)
	}
	return strings.Join(codes, ", ")
}

// failure is the verdict of what ended the extraction early.
func (w *writer) failure(err error) error {
	var verdict *handlers.Verdict
	var over *exceeded
	var crash *invoke.PanicError
	so := fmt.Sprintf("; %d members were extracted before", w.members)
	switch {
	case errors.As(err, &verdict) || w.ctx.Err() != nil:
		return err
	case errors.As(err, &over):
		return handlers.Fail(over.code, fmt.Errorf("%w%s", err, so))
	case errors.As(err, &crash):
		return handlers.Fail(CodeMalformed, fmt.Errorf("the decoder cannot deal with the archive: %w%s", err, so))
	case errors.Is(err, errEncrypted):
		return handlers.Warn(CodeEncrypted, err.Error())
	case errors.Is(err, errOverlapping):
		return handlers.Fail(CodeOverlapping, fmt.Errorf("%w%s", err, so))
	case errors.Is(err, errUnsupported):
		return handlers.Warn(CodeUnsupported, err.Error()+so)
	case errors.Is(err, errTruncated), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return handlers.Fail(CodeTruncated, fmt.Errorf("%w%s", err, so))
	}
	return handlers.Fail(CodeMalformed, fmt.Errorf("the archive is damaged: %w%s", err, so))
}
