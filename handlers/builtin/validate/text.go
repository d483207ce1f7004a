package validate

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// maxDepth is how deep JSON and XML may be nested; common readers do not read more.
const maxDepth = 10_000

// checkJSON reads one JSON value (RFC 8259).
func checkJSON(in *input) error {
	d := json.NewDecoder(withoutMark(in))
	if err := jsonValue(d); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = fmt.Errorf("offset %d: more text follows the value; for lines of JSON set as: jsonl", d.InputOffset())
		}
		return err
	}
	return nil
}

// jsonValue reads a value token by token, in bounded memory.
func jsonValue(d *json.Decoder) error {
	depth := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return fmt.Errorf("offset %d: %w", d.InputOffset(), err)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
		if depth > maxDepth {
			return fmt.Errorf("%w: nested more than %d deep", errNotChecked, maxDepth)
		}
	}
}

// maxLine is the longest line of JSON, in bytes.
const maxLine = 256 << 20

func checkJSONLines(in *input) error {
	lines := bufio.NewScanner(withoutMark(in))
	lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for no := 1; lines.Scan(); no++ {
		if line := bytes.TrimSpace(lines.Bytes()); len(line) > 0 && !json.Valid(line) {
			return fmt.Errorf("line %d is not a JSON value", no)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("%w: a line is longer than %d bytes", errNotChecked, maxLine)
	}
	return lines.Err()
}

// checkXML reads XML (https://www.w3.org/TR/xml/) to its end and checks that it is
// well-formed. It does not validate it against a schema.
func checkXML(in *input) error {
	d := xml.NewDecoder(xmlText(in))
	d.CharsetReader = decodeXML
	depth, roots, entities := 0, 0, false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if entities && strings.Contains(err.Error(), "entity") {
				return fmt.Errorf("%w: the file declares entities of its own: %w", errNotChecked, err)
			}
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
		case xml.EndElement:
			depth--
		case xml.Directive:
			entities = entities || declaresEntities(t)
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(t)) > 0 {
				return fmt.Errorf("offset %d: text outside the root element", d.InputOffset())
			}
		}
		if depth > maxDepth {
			return fmt.Errorf("%w: nested more than %d deep", errNotChecked, maxDepth)
		}
	}
	if roots != 1 {
		return fmt.Errorf("there are %d root elements instead of 1", roots)
	}
	return nil
}

// decodeXML decodes the text of an XML file that names its encoding.
func decodeXML(name string, r io.Reader) (io.Reader, error) {
	if strings.HasPrefix(strings.ToLower(name), "utf-16") {
		return r, nil // xmlText has decoded it by its byte order mark
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil, fmt.Errorf("%w: the encoding %q is unknown", errNotChecked, name)
	}
	return transform.NewReader(r, e.NewDecoder()), nil
}

// declaresEntities reports whether a document type may declare entities, which the decoder
// does not read.
func declaresEntities(directive []byte) bool {
	return slices.ContainsFunc([]string{"ENTITY", "SYSTEM", "PUBLIC"}, func(word string) bool {
		return bytes.Contains(directive, []byte(word))
	})
}

// xmlText decodes UTF-16 by its byte order mark.
func xmlText(in io.Reader) io.Reader {
	return transform.NewReader(in, unicode.BOMOverride(transform.Nop))
}

// withoutMark drops a byte order mark.
func withoutMark(in io.Reader) io.Reader {
	return transform.NewReader(in, unicode.BOMOverride(transform.Nop))
}

// checkCSV reads CSV (RFC 4180): quotes are closed, and every record has as many fields as
// the first. The separator is the most frequent of , ; tab and | in the first line.
func checkCSV(in *input) error {
	text := bufio.NewReaderSize(withoutMark(in), 64<<10)
	head, err := text.Peek(64 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	d := csv.NewReader(text)
	d.ReuseRecord = true
	for _, separator := range []rune{';', '\t', '|'} {
		if bytes.Count(line, []byte(string(separator))) > bytes.Count(line, []byte(string(d.Comma))) {
			d.Comma = separator
		}
	}
	for {
		_, err := d.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
