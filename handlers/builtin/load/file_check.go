package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/balerhq/baler/tasks"
)

// checkBytes is how many bytes of a file's content CheckFiles reads.
const checkBytes = 64 << 10

// CheckFiles reads the beginning of each file before a load begins, and reports the first
// file that does not exist or does not hold JSON lines: it has another encoding or
// compression, or is one document. It ignores files in folders that cannot be read; the
// load reports them file by file.
func (p *Plan) CheckFiles(ctx context.Context, files *LineFiles) error {
	given := make(map[string]bool)
	for _, path := range files.Paths {
		if tasks.IsObject(path) {
			given[path] = true
		} else if abs, err := filepath.Abs(path); err == nil {
			given[abs] = true
		}
	}
	err := files.each(ctx, func(f tasks.File) error {
		if f.ScanError != "" && given[f.Path] {
			_, reason, _ := strings.Cut(f.ScanError, ": ")
			return fmt.Errorf("%s: %s", f.Path, reason)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return files.eachContent(ctx, func(path string, content io.Reader) error {
		head := make([]byte, checkBytes)
		n, err := io.ReadFull(content, head)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil // loading it reports the damage
		}
		return p.checkHead(path, head[:n], n < len(head))
	})
}

// checkHead checks the first bytes of a file's content; whole says that they are all.
func (p *Plan) checkHead(path string, head []byte, whole bool) error {
	if encoding := encodingOf(head, whole); encoding != "" {
		return fmt.Errorf("%w: it is text in %s, and JSON lines are UTF-8: convert it, for example with iconv -f %s -t UTF-8 %q",
			ErrFormat, encoding, encoding, path)
	}
	document := documentOf(bytes.TrimPrefix(head, []byte("\ufeff")), whole)
	if document == "" || document == arrayLine && p.LineColumn != "" {
		return nil
	}
	filter := "."
	if document != objectLines && document != manyInLine {
		filter = ".[]"
	}
	return fmt.Errorf("%w: it is %s, not one document per line: convert it, for example with jq -c '%s' %q",
		ErrFormat, document, filter, path)
}

// encodingOf names the encoding of a text that is not UTF-8. It is empty when nothing
// indicates another encoding. A few broken characters do not: their lines are rejected.
func encodingOf(head []byte, whole bool) string {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(head, []byte{0, 0, 0xfe, 0xff}):
		return "UTF-32"
	case len(head) > 3 && head[0] != 0 && head[1] == 0 && head[2] == 0 && head[3] == 0:
		return "UTF-32LE"
	case len(head) > 3 && head[0] == 0 && head[1] == 0 && head[2] == 0 && head[3] != 0:
		return "UTF-32BE"
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return "UTF-16"
	case len(head) > 3 && head[0] != 0 && head[1] == 0 && head[2] != 0 && head[3] == 0:
		return "UTF-16LE"
	case len(head) > 3 && head[0] == 0 && head[1] != 0 && head[2] == 0 && head[3] != 0:
		return "UTF-16BE"
	}
	if !whole { // the last character may be cut
		head = head[:bytes.LastIndexByte(head, '\n')+1]
	}
	if utf8.Valid(head) || bytes.ContainsFunc(head, func(r rune) bool { return r > utf8.RuneSelf && r != utf8.RuneError }) {
		return ""
	}
	for line := range bytes.Lines(head) {
		if !utf8.Valid(line) && !json.Valid(latin1(line)) {
			return "" // neither is it text in Latin-1
		}
	}
	return "ISO-8859-1"
}

// latin1 reads bytes as characters of ISO-8859-1.
func latin1(b []byte) []byte {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return []byte(string(runes))
}

// The kinds of content that documentOf finds.
const (
	objectLines = "one JSON document over several lines"
	arrayLines  = "a JSON array over several lines"
	arrayLine   = "a JSON array of objects in one line"
	manyInLine  = "several JSON documents in one line" // also with line ends of a carriage return alone
)

// documentOf returns the kind of a file that is JSON, but does not have one document per line.
func documentOf(head []byte, whole bool) string {
	head = bytes.TrimLeft(head, " \t\r\n")
	first, rest, _ := bytes.Cut(head, []byte{'\n'})
	if len(first) == 0 || first[0] != '{' && first[0] != '[' {
		return ""
	}
	var items []json.RawMessage
	if json.Valid(first) {
		if json.Unmarshal(first, &items) == nil && len(items) > 0 && items[0][0] == '{' {
			return arrayLine
		}
		return ""
	}
	if len(bytes.TrimSpace(rest)) == 0 {
		return manyIn(first)
	}
	d := json.NewDecoder(bytes.NewReader(head))
	var document json.RawMessage
	if err := d.Decode(&document); err != nil && (whole || !errors.Is(err, io.ErrUnexpectedEOF)) {
		return "" // it has lines, and the first one is not JSON
	}
	if first[0] == '[' {
		return arrayLines
	}
	return objectLines
}

// manyIn returns manyInLine for a line that begins with two JSON documents.
func manyIn(line []byte) string {
	d := json.NewDecoder(bytes.NewReader(line))
	for range 2 {
		var document json.RawMessage
		if d.Decode(&document) != nil || len(document) < 2 || document[0] != '{' && document[0] != '[' {
			return ""
		}
	}
	return manyInLine
}
