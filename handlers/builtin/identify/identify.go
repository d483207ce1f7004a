// Package identify recognises file formats by PRONOM signatures.
package identify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/richardlehane/siegfried"
	"github.com/richardlehane/siegfried/pkg/core"
	"github.com/richardlehane/siegfried/pkg/static"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/checksum"
	"github.com/balerhq/baler/tasks"
)

// CodeUnknownFormat is the code of a file that no signature matches.
const CodeUnknownFormat = "unknown-format"

// unknownFormat is the fact puid of such a file.
const unknownFormat = "UNKNOWN"

// defaultScan is how much of a file identify reads at most. Most signatures match near
// the ends of a file; some search all of it, at about 30 MB a second.
const defaultScan = 64 << 20

// memberMemory is how much of a member of a container, a part of a .docx say,
// is unpacked into memory at a time; siegfried's own default is 64 MiB.
const memberMemory = 4 << 20

var errNoSignatures = errors.New("the built-in signatures cannot be read")

// siegfriedVersion is that of go.mod: another one has other signatures.
const siegfriedVersion = "v1.11.4"

type identifyArgs struct {
	MaxScan    tasks.Size `json:"max_scan"`
	Algorithms []string   `json:"algorithms"`
}

// identifier recognises files, and computes their digests in the same read.
type identifier struct {
	args    func(args any) (identifyArgs, error)
	digests *checksum.Reader
}

// signatures are loaded once a process, as they are large, never change, and
// the size of memberMemory is siegfried's own global.
//
//nolint:gochecknoglobals // see above
var signatures = sync.OnceValues(loadSignatures)

// Register adds the handler identify to a registry; see New.
func Register(reg *handlers.Registry) error {
	return reg.Register("identify", New(), docs(), handlers.WithoutEarlierFacts(),
		handlers.WithDescription("file format by PRONOM signatures"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 500, MaxBytes: 256 << 20}),
		handlers.WithArgsCheck(handlers.CheckWith(readArgs)), handlers.WithFactsOf(factNames),
		handlers.WithReuse(handlers.ReuseByName, "1, siegfried "+siegfriedVersion),
		handlers.WithSelfCheck(handlers.SelfCheck{Name: "signatures", Hint: "install the program again", Run: Release}))
}

// Release returns the PRONOM release of the built-in signatures.
func Release() (string, error) {
	sf, err := signatures()
	if err != nil {
		return "", err
	}
	for _, identifier := range sf.Identifiers() {
		return identifier[0] + ": " + identifier[1], nil
	}
	return "", errNoSignatures
}

// New recognises file formats with siegfried and its built-in PRONOM
// signatures, which are loaded when the first file comes and then shared.
// Arguments: {"max_scan": size}, how much of a file is searched at most, 64 MiB
// when not given, and {"algorithms": ["sha256"]}, digests to compute in the same read, any that
// checksum knows, none when not given. When no signature matches in so much from the beginning of a larger
// file, as in a QuickTime film whose index comes last, its beginning and its end are
// searched together, a quarter as much. Facts: puid, format, format_version and mime, as far as they
// are known; format_warning, what siegfried remarks, as on an extension that
// does not suit the content, and whether max_scan cut the search short; format_candidates, all PUIDs when several match equally well;
// with algorithms the facts of checksum.
func New() handlers.Handler {
	i := &identifier{args: handlers.OncePerArgs(readArgs), digests: checksum.NewReader()}
	return handlers.PerFile(i.file, handlers.Parallel(0), handlers.StallLimit(handlers.DefaultStallLimit))
}

// factNames are the facts of a step with these arguments.
func factNames(args any) []string {
	facts := []string{"puid", "format", "format_version", "mime", "format_warning", "format_candidates"}
	chosen, _ := readArgs(args) // the check of the arguments reports the error
	if len(chosen.Algorithms) > 0 {
		facts = append(append(facts, chosen.Algorithms...), "size")
	}
	return facts
}

// signatureSet is siegfried with its signatures.
type signatureSet struct {
	*siegfried.Siegfried
	fields map[string][]string // what the values of an identification mean, by its first value; Label asks for them each time
}

func loadSignatures() (*signatureSet, error) {
	siegfried.StreamSize(memberMemory)
	sf := static.New()
	if sf == nil {
		return nil, errNoSignatures
	}
	set := &signatureSet{Siegfried: sf, fields: make(map[string][]string)}
	fields := sf.Fields()
	for i, identifier := range sf.Identifiers() {
		set.fields[identifier[0]] = fields[i]
	}
	return set, nil
}

func readArgs(args any) (identifyArgs, error) {
	chosen := identifyArgs{MaxScan: defaultScan}
	if err := handlers.DecodeArgs(args, &chosen); err != nil {
		return identifyArgs{}, err
	}
	if chosen.MaxScan < 1 {
		return identifyArgs{}, handlers.Fail(handlers.CodeBadArgs, fmt.Errorf("max_scan is %d: give a number of bytes from 1", chosen.MaxScan))
	}
	return chosen, checksum.Check(chosen.Algorithms)
}

func (i *identifier) file(ctx context.Context, job *handlers.Job) error {
	chosen, err := i.args(job.Args())
	if err != nil {
		return err
	}
	sf, err := signatures()
	if err != nil {
		return fmt.Errorf("identify: %w", err)
	}
	f, err := job.Open()
	if err != nil {
		return err
	}
	defer f.Close() // opened for reading: Close cannot lose data
	look := func(content io.ReaderAt, size int64) error {
		if _, small := content.(checksum.InMemory); !small {
			content = watched{content, job.Progress}
		}
		formats, err := recogniseFile(ctx, sf, content, size, tasks.BaseName(job.File().Path), int64(chosen.MaxScan))
		if err != nil {
			return err
		}
		return record(job, formats)
	}
	if len(chosen.Algorithms) > 0 {
		return i.digests.Record(ctx, job, f, chosen.Algorithms, look)
	}
	info, err := f.Stat()
	if err != nil {
		return handlers.RetryLater(handlers.CodeIO, err)
	}
	return look(f, info.Size())
}

// endsShare is the part of the limit that is searched at both ends together: as good
// as a second search of all of it for every index there is, and much cheaper.
const endsShare = 4

// recogniseFile searches a file from its beginning. When the limit ends the search of a
// file that nothing has matched, it searches the beginning and the end together.
func recogniseFile(ctx context.Context, sf *signatureSet, f io.ReaderAt, size int64, name string, limit int64) ([]format, error) {
	formats, cut, err := recognise(sf, newWindow(ctx, f, size, limit), name)
	if err != nil || !cut {
		return formats, err
	}
	looked := fmt.Sprintf("looked at %d of %d bytes (max_scan)", limit, size)
	if formats[0].puid == unknownFormat && size > limit {
		ends := newEnds(f, size, max(1, limit/endsShare))
		again, _, err := recognise(sf, newWindow(ctx, ends, ends.size(), limit), name)
		if err != nil {
			return nil, err
		}
		if again[0].puid != unknownFormat {
			formats = again
			looked = fmt.Sprintf("looked at the first %d and the last %d of %d bytes (max_scan)", ends.head, ends.tail, size)
		}
	}
	for i := range formats {
		formats[i].remark(looked)
	}
	return formats, nil
}

// recognise gives every format that matches best: one, unless the signatures
// cannot decide. cut says that the window's limit ended the search.
func recognise(sf *signatureSet, src *window, name string) (formats []format, cut bool, err error) {
	buffer, err := sf.Buffer(src)
	ids, err := sf.IdentifyBuffer(buffer, err, name, "")
	failure, cut := src.failure(), src.cut()
	// When siegfried has answered it reads no more: its own Identify unmaps the file then.
	src.release()
	if failure != nil {
		return nil, false, failure
	}
	// Any other err means that the file is empty, or that it is no container although
	// it begins like one: then the name or the other signatures have decided.
	if len(ids) == 0 {
		return nil, false, fmt.Errorf("identify: %w", errors.Join(errNoAnswer, err))
	}
	formats = make([]format, len(ids))
	for i, found := range ids {
		formats[i] = formatOf(sf, found)
	}
	return formats, cut, nil
}

// watched reports each read.
type watched struct {
	io.ReaderAt
	progress func()
}

func (w watched) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.ReaderAt.ReadAt(p, off)
	w.progress()
	return n, err
}

var errNoAnswer = errors.New("siegfried gave no answer")

// format is one identification, by the names of its facts.
type format struct {
	puid, name, version, mime, warning string
}

func (f *format) remark(text string) {
	if f.warning != "" {
		f.warning += "; "
	}
	f.warning += text
}

func formatOf(sf *signatureSet, found core.Identification) format {
	var f format
	values := found.Values()
	for i, field := range sf.fields[values[0]] {
		switch field {
		case "id":
			f.puid = values[i]
		case "format":
			f.name = values[i]
		case "version":
			f.version = values[i]
		case "mime":
			f.mime = values[i]
		case "warning":
			f.warning = values[i]
		}
	}
	return f
}

func record(job *handlers.Job, formats []format) error {
	best := formats[0]
	if len(formats) > 1 {
		puids := make([]string, len(formats))
		for i := range formats {
			puids[i] = formats[i].puid
		}
		if err := job.SetFact("format_candidates", puids); err != nil {
			return err
		}
		best.remark("several formats match: " + strings.Join(puids, ", "))
	}
	for _, fact := range [][2]string{
		{"puid", best.puid}, {"format", best.name}, {"format_version", best.version},
		{"mime", best.mime}, {"format_warning", best.warning},
	} {
		if fact[1] == "" {
			continue
		}
		if err := job.SetFact(fact[0], fact[1]); err != nil {
			return err
		}
	}
	if best.puid == unknownFormat {
		return handlers.Warn(CodeUnknownFormat, best.warning)
	}
	return nil
}
