package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// object writes one JSON object, on a line of its own.
func (p *program) object(v any) error {
	text, err := jsonText(v)
	if err == nil {
		_, err = fmt.Fprintln(p.stdout, text)
	}
	if err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// jsonText is a value in JSON, with escapes for characters that change how a terminal shows
// text.
func jsonText(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return escapeUnprintable(strings.TrimSuffix(b.String(), "\n")), nil
}

// escapeUnprintable escapes, in a JSON text, characters that change how a terminal shows
// others, such as U+009B and U+202E. JSON has them in strings only, and the encoder has
// escaped those of ASCII.
func escapeUnprintable(text string) string {
	if !strings.ContainsFunc(text, unprintable) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if !unprintable(r) {
			b.WriteRune(r)
			continue
		}
		if utf16.RuneLen(r) == 2 {
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
			continue
		}
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	return b.String()
}

func unprintable(r rune) bool { return r >= utf8.RuneSelf-1 && !strconv.IsPrint(r) }
